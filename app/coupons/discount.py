"""A discount: what a coupon does to one price. Pure arithmetic in minor units, rounded once (SPEC R1, P15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.money import Money, round_half_away


@dataclass(frozen=True, slots=True)
class Discount:
    """`off` is taken off `price`, `credits` are given on top of it; one of the two is nothing.

    `months` goes with the duration "repeating". `redemption_id` is the use it comes from; None for a mere quote.
    """

    coupon_id: str
    code: str
    name: str
    price: Money
    off: Money
    credits: int
    duration: str
    months: int | None
    redemption_id: str | None = None

    @property
    def after(self) -> Money:
        """What is left to pay, before tax; never below nothing."""
        return Money(self.price.minor - self.off.minor, self.price.currency)


def taken_off(kind: str, value: int, price_minor: int) -> int:
    """What a coupon of this kind takes off a price: never more than the price, and never less than nothing.

    An amount larger than the price is cut to it, and what is over is lost: it never carries over.
    """
    if price_minor <= 0 or kind == "credits":
        return 0
    if kind == "percent":
        return min(price_minor, round_half_away(price_minor * value, 100))
    return min(price_minor, value)


def left_at_first(duration: str, months: int | None) -> int | None:
    """How many months of invoices a coupon covers in all. None is without end."""
    return {"once": 1, "repeating": months, "forever": None}[duration]


def left_after(left: int | None, months: int) -> int | None:
    """What is left after an invoice for so many months. A yearly invoice takes twelve, and is covered as a whole."""
    return None if left is None else max(0, left - months)


def covers(scope: Mapping[str, Any], what: str) -> bool:
    """Whether a coupon with this scope is for `what`: "plan:studio", "pack:small" or "topup".

    A part that is absent is not covered, an empty list is any of it; no scope at all is every plan and every pack.
    """
    if not scope:
        return what.startswith(("plan:", "pack:"))
    if what == "topup":
        return bool(scope.get("topups"))
    part, _, key = what.partition(":")
    keys = scope.get(f"{part}s")
    return keys is not None and (not keys or key in keys)
