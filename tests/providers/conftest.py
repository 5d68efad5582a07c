"""What the tests of adapters share."""

from __future__ import annotations

from tests.support.subscribers import card, customer, growth, plan, starter, subscribed

__all__ = ["card", "customer", "growth", "plan", "starter", "subscribed"]
