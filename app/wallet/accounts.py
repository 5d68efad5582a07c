"""The ledger accounts a wallet verb touches: the customer's own, and the house's other side of each movement."""

from __future__ import annotations

import re

from app.errors import Invalid
from app.ledger import HOUSE, Account

_PUBLISHER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", re.ASCII)


def wallet_of(customer_id: str, currency: str = "usd") -> Account:
    """The customer's prepaid money, in micros of `currency`. It has a floor of zero (SPEC R2)."""
    return Account(customer_id, "wallet", currency)


def cash(channel: str, currency: str = "usd") -> Account:
    """What a payment provider holds for us; negative by what it took in, as every source of money is."""
    return Account(HOUSE, f"cash:{channel}", currency)


def promotions(currency: str = "usd") -> Account:
    """Where promotional credit comes from (SPEC W1)."""
    return Account(HOUSE, "promotions", currency)


def adjustments(currency: str = "usd") -> Account:
    """The other side of what staff correct by hand (SPEC C6)."""
    return Account(HOUSE, "adjustments", currency)


def revenue(currency: str = "usd") -> Account:
    """What the house earned: debits, markups, settled holds."""
    return Account(HOUSE, "revenue", currency)


def tax(currency: str = "usd") -> Account:
    """Tax collected, which is not ours (SPEC I2)."""
    return Account(HOUSE, "tax", currency)


def chargebacks(channel: str, currency: str = "usd") -> Account:
    """What banks took back of payments made through a channel, until the dispute is decided (SPEC W5)."""
    return Account(HOUSE, f"chargebacks:{channel}", currency)


def losses(currency: str = "usd") -> Account:
    """What disputes cost us: fees, and money that had gone back already. Refunds beyond what was paid, too."""
    return Account(HOUSE, "losses", currency)


def commission(currency: str = "usd") -> Account:
    """The house's share of what publishers sell (SPEC U8)."""
    return Account(HOUSE, "commission", currency)


def upstream_cost(currency: str = "usd") -> Account:
    """What cost-plus services cost us upstream (SPEC U8)."""
    return Account(HOUSE, "upstream_cost", currency)


def payable(publisher: str, currency: str = "usd") -> Account:
    """What the house owes a publisher. Raises Invalid for a name no publisher can have."""
    if not _PUBLISHER.match(publisher):
        raise Invalid("Name the publisher with 1 to 64 letters, digits, dots, dashes, underscores.", field="publisher")
    return Account(HOUSE, f"payable:{publisher}", currency)
