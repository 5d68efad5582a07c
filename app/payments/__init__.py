"""Payments: what customers ordered through a provider, and what the provider told about it."""

from __future__ import annotations

from app.payments.models import CardPage, Order, Payment, ProviderCustomer, ProviderEvent

__all__ = ["CardPage", "Order", "Payment", "ProviderCustomer", "ProviderEvent"]
