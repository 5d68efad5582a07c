"""Arithmetic on minor units: shares of a whole and exclusive tax, rounded half up and alike for credits and debits."""

from __future__ import annotations

import json

from app.sandbox.blanks import Object
from app.sandbox.tx import Tx

_WHOLE = 10_000  # basis points
_RATE = "txr_sandbox"


def share(amount: int, part: int, whole: int) -> int:
    """This part of an amount in minor units. A negative amount gives exactly the negative of the positive one."""
    if amount < 0:
        return -share(-amount, part, whole)
    return (2 * amount * part + whole) // (2 * whole)


def tax_on(amount: int, basis_points: int) -> int:
    """Exclusive tax in minor units."""
    return share(amount, basis_points, _WHOLE)


def rate_for(tx: Tx, price: Object, taxed: bool) -> int:
    """Basis points of tax on top of this price; none unless automatic tax is on and the price excludes it."""
    return tx.config.tax_basis_points if taxed and price["tax_behavior"] == "exclusive" else 0


def prepare(tx: Tx) -> None:
    """Keep the one tax rate as the configuration has it now."""
    whole, part = divmod(tx.config.tax_basis_points, 100)
    percentage = json.loads(f"{whole}.{part:02d}") if part else whole
    rate = tx.find(_RATE) or tx.new("tax_rate", id=_RATE)
    tx.change(rate, percentage=percentage, effective_percentage=percentage)


def taxes(amount: int, on: int) -> list[Object]:
    """An amount of tax as objects list it, empty for none."""
    if not amount:
        return []
    known = {
        "tax_behavior": "exclusive",
        "tax_rate_details": {"tax_rate": _RATE},
        "taxability_reason": "standard_rated",
    }
    return [{"amount": amount, "taxable_amount": on, "type": "tax_rate_details", **known}]


def automatic_tax(taxed: bool) -> Object:
    """The `automatic_tax` of an invoice."""
    if not taxed:
        return {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None}
    known = {"liability": {"type": "self"}, "provider": "stripe", "status": "complete"}
    return {"disabled_reason": None, "enabled": True, **known}


def dollars(amount: int) -> str:
    """$29.00, for the sentences Stripe writes."""
    return f"${amount // 100}.{amount % 100:02d}"
