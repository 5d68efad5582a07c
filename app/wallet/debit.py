"""Debits: the host product takes money from a wallet for something it sold."""

from __future__ import annotations

from app.ledger import Entry
from app.wallet import words
from app.wallet.accounts import revenue, wallet_of
from app.wallet.amounts import positive
from app.wallet.books import Where, books, key_of


def debit(
    where: Where,
    customer_id: str,
    amount_micros: int,
    *,
    description: str,
    key: str,
    by: str,
    currency: str = "usd",
) -> Entry:
    """Take micros from the wallet once per key, promotional money first.

    Raises InsufficientFunds rather than going below zero, Invalid for the amount or the description, and
    IdempotencyKeyReused when the key came with another debit.
    """
    amount = positive(amount_micros)
    return books(where).post(
        "debit",
        {wallet_of(customer_id, currency): -amount, revenue(currency): amount},
        customer_id=customer_id,
        key=key_of("debit", key),
        data={"description": words.plain(description, field="description", least=1, most=200), "by": by},
    )
