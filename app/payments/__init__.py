"""Payments: what customers ordered through a provider, and what the provider told about it."""

from __future__ import annotations

from app.payments.models import Order, Payment, ProviderCustomer, ProviderEvent

__all__ = ["Order", "Payment", "ProviderCustomer", "ProviderEvent"]
