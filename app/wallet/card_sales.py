"""A sale that a card paid on a provider's page: the provider holds the money, the wallet is not touched (SPEC C3)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app import ledger
from app.money import Money, minor_to_micros
from app.wallet.accounts import cash, revenue, tax


def sold_by_card(
    session: Session,
    customer_id: str,
    net: Money,
    tax_minor: int,
    *,
    channel: str,
    payment_id: str,
    data: dict[str, Any],
) -> ledger.Entry:
    """Book what was paid: `net` is revenue, its tax (minor units on top) is set aside. Once per payment."""
    before_tax, taxes = minor_to_micros(net.minor, net.currency), minor_to_micros(tax_minor, net.currency)
    legs = {
        cash(channel, net.currency): -before_tax - taxes,
        revenue(net.currency): before_tax,
        tax(net.currency): taxes,
    }
    return ledger.post(
        session,
        "card_payment",
        {account: amount for account, amount in legs.items() if amount},
        customer_id=customer_id,
        key=f"sale:{channel}:{payment_id}",
        data={"channel": channel, "payment": payment_id, **data},
    )
