"""A customer's balance: negative is credit that later invoices use up, positive is owed. Amounts in minor units."""

from __future__ import annotations

from typing import Any

from app.sandbox.blanks import Object
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

LEAST = 50  # Stripe charges no less; a smaller sum is carried to the next invoice


def outcome(total: int, balance: int) -> tuple[int, int]:
    """What is due of an invoice's total under this balance, and the balance after it."""
    owed = total + balance
    if total <= 0 or owed < LEAST:
        return 0, owed
    return owed, 0


def move(tx: Tx, customer: Object, amount: int, kind: str, **about: Any) -> Object | None:
    """Add to the balance and keep the entry of it; nothing for an amount of 0."""
    if amount == 0:
        return None
    before = tx.change(customer, balance=customer["balance"] + amount)
    entry = tx.new(
        "customer_balance_transaction",
        amount=amount,
        currency=customer["currency"] or "usd",
        customer=customer["id"],
        ending_balance=customer["balance"],
        type=kind,
        **about,
    )
    emit(tx, "customer.updated", customer, before)
    return entry
