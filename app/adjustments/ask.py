"""Asking for an adjustment: small ones are made at once, large ones are kept until a second person agrees.

A wallet's amounts are micros of its currency, those of credits whole credits. The key of the form or request that asked
is the key of the ledger's entry too, whenever it comes to be written, so nothing is adjusted twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock, credits, ids, ledger
from app.adjustments import colleagues
from app.adjustments.models import Adjustment
from app.credits.grants import LARGEST
from app.errors import IdempotencyKeyReused, InsufficientFunds, Invalid
from app.wallet import words
from app.wallet.accounts import wallet_of
from app.wallet.adjust import LARGEST_MICROS
from app.wallet.adjust import adjust as adjust_wallet

CREDITS = "credits"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be adjusted: above zero gives, below zero takes. `asset` is a currency or "credits"."""

    customer_id: str
    asset: str
    amount: int
    reason: str
    key: str
    ticket: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of it. Without `entry` it waits; `replayed`: the same had been asked before, nothing was done now."""

    row: Adjustment
    entry: ledger.Entry | None
    replayed: bool


def ask(session: Session, wish: Wish, *, by: str, person: str | None, limit: int | None, base_url: str = "") -> Asked:
    """Adjust once per key, or keep it for a second person when it is more than `limit`, in units of its asset.

    `by` is as the audit log names the asker, `person` the user behind it; no limit is for the command line. Raises
    Invalid, InsufficientFunds when more is taken than is available, and IdempotencyKeyReused.
    """
    before = _under_key(session, wish)
    if before is not None:
        entry = ledger.entry(session, before.customer_id, before.entry_id) if before.entry_id else None
        return Asked(_same(before, wish), entry, replayed=True)
    if needs_second(wish.amount, limit):
        return _keep(session, wish, by, person, base_url)
    entry = post(session, wish, by)
    after = entry.balance_after or 0
    row, _ = _write(session, wish, by, person, after - wish.amount, entry.id)
    return Asked(row, entry, replayed=entry.replayed)


def needs_second(amount: int, limit: int | None) -> bool:
    """Whether a second person has to agree to this amount."""
    return limit is not None and abs(amount) > limit


def post(session: Session, wish: Wish, by: str) -> ledger.Entry:
    """Into the books, in the name of who asked."""
    if wish.asset == CREDITS:
        return credits.adjust(
            session,
            wish.customer_id,
            wish.amount,
            reason=wish.reason,
            actor=by,
            key=wish.key,
            ticket=wish.ticket,
            expires_at=wish.expires_at,
        )
    return adjust_wallet(
        session,
        wish.customer_id,
        wish.amount,
        reason=wish.reason,
        actor=by,
        key=wish.key,
        ticket=wish.ticket,
        currency=wish.asset,
    )


def _keep(session: Session, wish: Wish, by: str, person: str | None, base_url: str) -> Asked:
    """Nothing moves. What cannot be done now is refused now, in the words it would be refused with then."""
    _check(wish)
    balance, available = _standing(session, wish)
    if available + wish.amount < 0:
        money = {} if wish.asset == CREDITS else {"available_micros": available, "needed_micros": -wish.amount}
        raise InsufficientFunds(
            "There is not as much as you want to take.",
            **(money or {"available": available, "needed": -wish.amount}),
            field="amount",
        )
    row, is_news = _write(session, wish, by, person, balance, None)
    if not is_news:  # the same form, sent twice at once
        return Asked(row, None, replayed=True)
    told: dict[str, object] = {"amount": wish.amount} if wish.asset == CREDITS else {"amount_micros": wish.amount}
    activity.record(
        session,
        by,
        "adjustment.asked",
        row.id,
        customer_id=wish.customer_id,
        asset=wish.asset,
        reason=row.reason,
        ticket=row.ticket,
        **told,
    )
    colleagues.tell_waiting(session, row, base_url)
    return Asked(row, None, replayed=False)


def _check(wish: Wish) -> None:
    most = LARGEST if wish.asset == CREDITS else LARGEST_MICROS
    if abs(wish.amount) > most:
        raise Invalid("This is more than one adjustment may be.", field="amount", maximum=most)
    if wish.expires_at is not None and (wish.amount < 0 or wish.expires_at <= clock.now()):
        raise Invalid("Only credits that are given can end, and only in the future.", field="expires_at")


def _standing(session: Session, wish: Wish) -> tuple[int, int]:
    """The balance, and what of it can be taken."""
    if wish.asset == CREDITS:
        there = credits.balance(session, wish.customer_id).available
        return there, there
    wallet = ledger.balance(session, wallet_of(wish.customer_id, wish.asset))
    return wallet.balance, wallet.available


def _write(
    session: Session, wish: Wish, by: str, person: str | None, before: int, entry_id: str | None
) -> tuple[Adjustment, bool]:
    """The row under this key, and whether it is ours: of two who send the same at once, one writes it."""
    values = {
        "customer_id": wish.customer_id,
        "id": ids.new("adj"),
        "asset": wish.asset,
        "amount": wish.amount,
        "before": before,
        "after": before + wish.amount,
        "reason": words.reason(wish.reason),
        "ticket": _ticket(wish),
        "expires_at": wish.expires_at if wish.amount > 0 else None,
        "key": wish.key,
        "state": "made" if entry_id else "waiting",
        "asked_by": by,
        "person": person,
        "asked_at": clock.now(),
        "entry_id": entry_id,
    }
    once = insert(Adjustment).values(values).on_conflict_do_nothing(index_elements=["customer_id", "asset", "key"])
    is_ours = session.scalar(once.returning(Adjustment.id)) is not None
    row = _under_key(session, wish)
    assert row is not None, "somebody wrote it, we or who was quicker"
    return _same(row, wish), is_ours


def _ticket(wish: Wish) -> str | None:
    return words.plain(wish.ticket, field="ticket", least=1, most=100) if wish.ticket else None


def _under_key(session: Session, wish: Wish) -> Adjustment | None:
    mine = select(Adjustment).where(
        Adjustment.customer_id == wish.customer_id, Adjustment.asset == wish.asset, Adjustment.key == wish.key
    )
    return session.scalar(mine)


def _same(row: Adjustment, wish: Wish) -> Adjustment:
    asked = (wish.amount, words.reason(wish.reason), _ticket(wish), wish.expires_at if wish.amount > 0 else None)
    if asked != (row.amount, row.reason, row.ticket, row.expires_at):
        raise IdempotencyKeyReused("This key came with another adjustment before.", key=wish.key)
    return row
