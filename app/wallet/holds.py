"""Holds: wallet money set aside until settled or released; they expire by themselves (SPEC W7)."""

from __future__ import annotations

from datetime import timedelta

from app import clock
from app.errors import Invalid
from app.ledger import Entry, Hold
from app.wallet import words
from app.wallet.accounts import revenue, wallet_of
from app.wallet.amounts import LARGEST_MICROS, positive
from app.wallet.books import Where, books, key_of

SHORTEST, LONGEST, USUAL = 1, 7 * 24 * 3600, 15 * 60  # seconds a hold may live


def authorise(
    where: Where,
    customer_id: str,
    amount_micros: int,
    *,
    description: str | None,
    key: str,
    by: str,
    expires_in: int = USUAL,
    currency: str = "usd",
) -> Hold:
    """Set micros aside once per key, for 1 second to 7 days. Raises InsufficientFunds or Invalid."""
    if not SHORTEST <= expires_in <= LONGEST:
        raise Invalid("A hold lives 1 second to 7 days.", field="expires_in", minimum=SHORTEST, maximum=LONGEST)
    return books(where).hold(
        wallet_of(customer_id, currency),
        positive(amount_micros),
        key=key_of("hold", key),
        expires_at=clock.now() + timedelta(seconds=expires_in),
        data={"description": words.description(description, "Reserved"), "by": by, "expires_in": expires_in},
    )


def settle(
    where: Where, customer_id: str, hold_id: str, amount_micros: int, *, by: str, currency: str = "usd"
) -> tuple[Hold, Entry | None]:
    """Take what it really cost, in micros; the rest of the hold returns. Zero takes nothing and posts no entry.

    Once: the same amount again gets the first answer, another amount is refused. More than was held is taken too,
    if need be into a bounded debt (R2), because the service has already been given.
    """
    if not 0 <= amount_micros <= LARGEST_MICROS:
        raise Invalid("Give an amount of zero or more.", field="amount_micros", minimum=0, maximum=LARGEST_MICROS)
    return books(where).settle(customer_id, hold_id, amount_micros, kind="debit", to=revenue(currency), data={"by": by})


def release(where: Where, customer_id: str, hold_id: str) -> Hold:
    """Give the held money back. Releasing again gets the same answer; a settled hold is refused."""
    return books(where).release(customer_id, hold_id)
