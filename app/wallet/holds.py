"""Holds: wallet money set aside until settled or released; they expire by themselves (SPEC W7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session

from app import clock, ledger
from app.errors import IdempotencyKeyReused, Invalid, NotFound
from app.ledger import Entry, Hold, HoldEnded, SettlementTooLarge
from app.wallet import words
from app.wallet.accounts import revenue, wallet_of
from app.wallet.amounts import LARGEST_MICROS, positive
from app.wallet.books import Where, books, key_of

_OF_USAGE = "overage:"
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
    where: Where, hold: Hold, amount_micros: int, *, key: str, by: str, currency: str = "usd"
) -> tuple[Hold, Entry | None]:
    """Take what it really cost, in micros; the rest of the hold returns. Zero takes nothing and posts no entry.

    More than was held is taken too, up to a bound and if need be into debt (R2), because the service has already been
    given. Raises HoldEnded when the hold has ended, and Invalid for the amount.
    """
    if not 0 <= amount_micros <= LARGEST_MICROS:
        raise Invalid("Give an amount of zero or more.", field="amount_micros", minimum=0, maximum=LARGEST_MICROS)
    told = {"description": hold.data.get("description", "Settled hold"), "hold": hold.id, "key": key, "by": by}
    try:
        return books(where).settle(
            hold.customer_id, hold.id, amount_micros, kind="debit", to=revenue(currency), data=told
        )
    except SettlementTooLarge as refusal:
        raise SettlementTooLarge(refusal.sentence, **{**refusal.details, "field": "amount_micros"}) from None


def settled_before(session: Session, ended: HoldEnded, hold: Hold, amount_micros: int, *, key: str) -> Hold:
    """The answer to a settlement of a hold that has ended: a hold is settled once, so its own state is the truth (R5).

    The same amount again gets the first answer, whoever asks. Raises IdempotencyKeyReused when the key that settled it
    now brings another amount, and `ended` when it ended otherwise.
    """
    now = of(session, hold.customer_id, hold.id)
    if now.settled_amount == amount_micros:
        return replace(now, replayed=True)
    entry = ledger.entry(session, now.customer_id, now.settled_entry) if now.settled_entry else None
    if entry is not None and entry.data.get("key") == key:
        raise IdempotencyKeyReused("This Idempotency-Key settled the hold for another amount.", hold_id=now.id)
    raise ended


def of(session: Session, customer_id: str, hold_id: str) -> Hold:
    """One hold of this customer. Raises NotFound, the same for another customer's, and for what a day's usage holds."""
    found = ledger.find_hold(session, customer_id, hold_id)
    if found is None or found.key.startswith(_OF_USAGE):  # that has been used: it is nobody's to release
        raise NotFound("There is no such hold.")
    return found


def release(where: Where, customer_id: str, hold_id: str) -> Hold:
    """Give the held money back. Releasing again gets the same answer; a settled hold is refused."""
    return books(where).release(customer_id, hold_id)
