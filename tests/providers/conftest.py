"""What the tests of adapters share."""

from __future__ import annotations

from tests.support.polar_asked import polar_plan, polar_sub, who
from tests.support.subscribers import card, customer, growth, plan, starter, subscribed

__all__ = ["card", "customer", "growth", "plan", "polar_plan", "polar_sub", "starter", "subscribed", "who"]
