"""Holds: money or credits set aside, then settled, released, or expired by themselves (SPEC W7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.ledger import tables
from app.ledger.accounts import Account
from app.ledger.books import apply, apply_one, books_of
from app.ledger.entries import Entry, Hold
from app.ledger.requests import Ending, holding, raising, settling


def hold(
    session: Session,
    account: Account,
    amount: int,
    *,
    key: str,
    expires_at: datetime,
    data: Mapping[str, Any] | None = None,
) -> Hold:
    """Set an amount aside, once per (customer, key). Raises InsufficientFunds, IdempotencyKeyReused or Invalid.

    A repeated request answers the hold as it is now; its expiry stays what it was first.
    """
    made = apply_one(session, holding(account, amount, key=key, expires_at=expires_at, data=data))
    assert isinstance(made, Hold)
    return made


def raise_hold(
    session: Session,
    account: Account,
    by: int,
    *,
    key: str,
    expires_at: datetime,
    data: Mapping[str, Any] | None = None,
) -> Hold:
    """Set `by` more aside under one (customer, key): the first call makes the hold, later ones raise it while it lives.

    Every call raises anew; the caller's own row must say which have been made. Expiry and data stay what they were
    first. One past its expiry can be raised until the sweeper has ended it. Raises InsufficientFunds with nothing
    changed, HoldEnded, IdempotencyKeyReused for the key of a hold made by `hold` or on another account, and Invalid.
    """
    raised = apply_one(session, raising(account, by, key=key, expires_at=expires_at, data=data))
    assert isinstance(raised, Hold)
    return raised


def settle(
    session: Session,
    customer_id: str,
    hold_id: str,
    amount: int,
    *,
    kind: str,
    to: Account | Mapping[Account, int],
    data: Mapping[str, Any] | None = None,
) -> tuple[Hold, Entry | None]:
    """End a hold by spending `amount`; the rest returns. Zero spends nothing and writes no entry.

    More than was held is allowed up to twice the hold (the bounded overrun of R2): what the available amount cannot
    pay becomes debt. Once: the same again answers the same, anything else raises HoldEnded. A hold past its expiry
    can be settled until the sweeper has ended it, for its money is still there. Raises SettlementTooLarge, NotFound.
    """
    ended = apply_one(session, settling(customer_id, hold_id, amount, kind=kind, to=to, data=data))
    assert isinstance(ended, tuple)
    return ended


def release(session: Session, customer_id: str, hold_id: str) -> Hold:
    """End a hold without spending. One already released or expired stays as it is; a settled one raises HoldEnded."""
    ended = apply_one(session, Ending(customer_id, hold_id))
    assert isinstance(ended, Hold)
    return ended


def expire_holds(session: Session, now: datetime, limit: int = 500) -> int:
    """End up to `limit` holds whose time is over, oldest first, and say how many. Run it until it answers zero."""
    h = tables.holds
    overdue = session.execute(
        select(h.c.customer_id, h.c.id)
        .where(h.c.state == "held", h.c.expires_at <= now)
        .order_by(h.c.expires_at)
        .limit(limit)
    ).all()
    if not overdue:
        return 0
    requests = [Ending(row.customer_id, row.id, "expired", at=now) for row in overdue]
    ended = apply(books_of(session), requests, strict=False)
    return sum(1 for one in ended if isinstance(one, Hold) and one.state == "expired" and not one.replayed)


def find_hold(session: Session, customer_id: str, hold_id: str) -> Hold | None:
    """One hold; None if this customer has none by that id."""
    h = tables.holds
    row = session.execute(select(h).where(h.c.customer_id == customer_id, h.c.id == hold_id)).one_or_none()
    return None if row is None else _from_row(row)


def live_holds(session: Session, account: Account, limit: int = 50) -> list[Hold]:
    """What is held of an account right now, the soonest to expire first."""
    h = tables.holds
    rows = session.execute(
        select(h)
        .where(
            h.c.customer_id == account.customer_id,
            h.c.account == account.kind,
            h.c.asset == account.asset,
            h.c.state == "held",
        )
        .order_by(h.c.expires_at, h.c.id)
        .limit(limit)
    )
    return [_from_row(row) for row in rows]


def _from_row(row: Row[Any]) -> Hold:
    return Hold(
        row.id, Account(row.customer_id, row.account, row.asset), row.amount, row.state, row.key, row.request_hash,
        row.created_at, row.expires_at, dict(row.data), row.ended_at, row.settled_amount, row.settled_entry,
    )  # fmt: skip
