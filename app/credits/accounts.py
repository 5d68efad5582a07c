"""The ledger accounts that credits move between: the customer's own, and the house's other side of each movement."""

from __future__ import annotations

from app.ledger import HOUSE, Account

ASSET = "credits"


def credits_of(customer_id: str) -> Account:
    """The customer's credits, in whole units. They have a floor of zero (SPEC R2)."""
    return Account(customer_id, "credits", ASSET)


def promotions() -> Account:
    """Where credits come from that are given away."""
    return Account(HOUSE, "promotions", ASSET)


def issued() -> Account:
    """Where credits come from that were sold, or belong to a plan."""
    return Account(HOUSE, "issued", ASSET)


def adjustments() -> Account:
    """The other side of what staff correct by hand (SPEC C6)."""
    return Account(HOUSE, "adjustments", ASSET)


def revenue() -> Account:
    """Where spent credits go."""
    return Account(HOUSE, "revenue", ASSET)


def breakage() -> Account:
    """Where credits go that expired unspent."""
    return Account(HOUSE, "breakage", ASSET)
