"""Posting entries, and undoing one by another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import ids
from app.errors import NotFound
from app.ledger import tables
from app.ledger.accounts import HOUSE, Account, Balance
from app.ledger.books import apply_one, books_of
from app.ledger.chart import ChartViolation, check_account
from app.ledger.entries import Entry, Leg, fingerprint
from app.ledger.requests import Posting, check_key, posting

_FIGURES = ("balance", "held", "debt", "promo", "version", "frozen")


def open_account(session: Session, account: Account) -> None:
    """Make a customer's account, empty. Once or many times, it is the same account."""
    check_account(account)
    if account.is_house:
        raise ChartViolation("The house's accounts are sums; they are not opened.")
    books_of(session).open([account])


def lock_account(session: Session, account: Account) -> Balance:
    """Keep others from moving a customer's account until the commit, and say what it holds: for who decides by rows of
    their own how much to move. Opens one that is not there yet, since only a row can be locked.
    """
    books = books_of(session)
    found = books.states([account])
    if not found:
        open_account(session, account)
        found = books.states([account])
    return Balance(*(getattr(found[0], name) for name in _FIGURES))


def find_entry(session: Session, customer_id: str, key: str) -> Entry | None:
    """The entry posted under this key, with its legs; None while there is none."""
    return next(iter(books_of(session).entries_by_key([(customer_id, key)])), None)


def post(
    session: Session,
    kind: str,
    legs: Mapping[Account, int],
    *,
    customer_id: str,
    key: str,
    data: Mapping[str, Any] | None = None,
    occurred_at: datetime | None = None,
) -> Entry:
    """Write one entry, once per (customer, key) (SPEC R2, R5). Amounts in the asset's smallest unit, summing to zero.

    The same key with the same content answers the stored entry, `replayed`. Raises IdempotencyKeyReused for other
    content, InsufficientFunds if a floored account cannot pay, Invalid for an impossible amount or key, and
    ChartViolation (a fault of the caller) for a movement the chart does not allow. A refusal writes nothing.
    """
    wanted = posting(kind, legs, customer_id=customer_id, key=key, data=data, occurred_at=occurred_at)
    entry = apply_one(session, wanted)
    assert isinstance(entry, Entry)
    return entry


def reverse(session: Session, entry_id: str, *, customer_id: str, key: str, reason: str) -> Entry:
    """Undo an entry by a new one that moves the same amounts back, promotional parts too as far as they are there.

    Once per entry: raises AlreadyReversed, NotFound, or InsufficientFunds when what was given is spent.
    """
    check_key(key)
    original = entry(session, customer_id, entry_id)
    if original is None:
        raise NotFound("There is no such entry.", entry_id=entry_id)
    if original.reverses is not None:
        raise ChartViolation("A reversal is not reversed; post the movement again.")
    wanted = Posting(
        customer_id,
        "reversal",
        key,
        {leg.account: -leg.amount for leg in original.legs},
        {"reverses": entry_id, "reason": reason},
        reverses=entry_id,
        promo_back={leg.account: -leg.promo_amount for leg in original.legs},
        id=ids.new("wtxn"),
    )
    wanted.hash = fingerprint("reversal", wanted.legs, wanted.data)
    done = apply_one(session, wanted)
    assert isinstance(done, Entry)
    return done


def entry(session: Session, customer_id: str, entry_id: str) -> Entry | None:
    """One entry with its legs; None if this customer has none by that id."""
    e, leg = tables.entries, tables.legs
    row = session.execute(select(e).where(e.c.customer_id == customer_id, e.c.id == entry_id)).one_or_none()
    if row is None:
        return None
    moved = session.execute(
        select(leg).where(leg.c.customer_id == customer_id, leg.c.entry_id == entry_id).order_by(leg.c.position)
    )
    legs = tuple(
        Leg(
            Account(HOUSE if one.seq is None else customer_id, one.account, one.asset),
            one.amount,
            one.promo_amount,
            one.seq,
            one.kind_seq,
            one.balance_after,
        )
        for one in moved
    )
    return Entry(
        row.id, row.customer_id, row.kind, row.key, row.request_hash, row.occurred_at, row.recorded_at,
        dict(row.data), legs, row.reverses,
    )  # fmt: skip


def reversal_of(session: Session, customer_id: str, entry_id: str) -> str | None:
    """The id of the entry that undid this one; None while none did."""
    e = tables.entries
    return session.scalar(select(e.c.id).where(e.c.customer_id == customer_id, e.c.reverses == entry_id))
