"""`Idempotency-Key`: the same key and body get the first answer again, other content is refused (SPEC R5).

There are two ways to keep the promise. A debit, charge or hold is one ledger entry, and the ledger's own unique key
is the truth: nothing else is stored. A call that does more (a top-up opens an order and asks a provider) goes through
`answer_once`, which keeps the answer. What the call does is keyed by the same key all the way down, so a crash between
the effect and the stored answer is healed by doing it again: the effect is found, and the answer made anew.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app import clock, digest, ids
from app.db import transaction
from app.errors import Conflict, IdempotencyKeyReused, Invalid
from app.http.tables import KeyedAnswer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"

_FORM = re.compile(r"[\x21-\x7e]{1,255}\Z")
_LEASE = timedelta(seconds=60)  # a provider call takes at most 30 s with its retries
_KEPT = timedelta(days=7)  # how long an answer is remembered; providers forget their own keys after a day or a month
_NAP, _NAPS = 0.05, 60  # a second request waits 3 s for the first one's answer before it is told to come back

Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Keyed:
    """The answer, and whether it is one already given."""

    status: int
    body: dict[str, Any]
    replayed: bool


def read_key(text: str | None) -> str:
    """The request's key; a fresh one when it sent none, so that it is done once and can never be repeated.

    Raises Invalid for a key of another form than 1 to 255 visible ASCII characters.
    """
    if text is None:
        return ids.new("once")
    if not _FORM.match(text):
        raise Invalid("An Idempotency-Key is 1 to 255 visible ASCII characters, without spaces.", field=HEADER)
    return text


def answer_once(session: Session, *, customer_id: str, key: str, request: Any, do: Callable[[], Answer]) -> Keyed:
    """Do it and keep the answer, or give the kept one.

    `request` is everything that makes the request what it is (call and body). A refusal is not kept: nothing happened,
    so the same key and body may try again. Raises IdempotencyKeyReused for other content, and Conflict while the first
    request is still at work.
    """
    kept = _claim(session, customer_id, key, digest.of(request))
    if kept is not None:
        return kept
    try:
        status, body = do()
    except BaseException:
        session.rollback()
        with transaction(session):
            _write(session, customer_id, key, started_at=clock.now() - _LEASE)  # whoever comes next need not wait
        raise
    with transaction(session):
        _write(session, customer_id, key, status=status, answer=body)
        _forget_old(session, customer_id)
    return Keyed(status, body, replayed=False)


def _claim(session: Session, customer_id: str, key: str, content: str) -> Keyed | None:
    """The kept answer, or None when the request is now ours to do."""
    for _ in range(_NAPS):
        with transaction(session):
            if _insert(session, customer_id, key, content):
                return None
            row = session.execute(select(KeyedAnswer).filter_by(customer_id=customer_id, key=key)).scalar_one()
            if row.request_hash != content:
                raise IdempotencyKeyReused("This Idempotency-Key came before with another request.", field=HEADER)
            if row.status is not None:
                return Keyed(row.status, row.answer or {}, replayed=True)
            if _take_over(session, row):
                return None
        time.sleep(_NAP)
    raise Conflict("A request with this Idempotency-Key is still being worked on.", retry_after=5)


def _insert(session: Session, customer_id: str, key: str, content: str) -> bool:
    # ON CONFLICT makes the claim one statement: two requests cannot both find the key free.
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    claimed = session.execute(
        insert(KeyedAnswer)
        .values(customer_id=customer_id, key=key, request_hash=content, started_at=clock.now())
        .on_conflict_do_nothing()
        .returning(KeyedAnswer.key)
    )
    return claimed.first() is not None


def _take_over(session: Session, row: KeyedAnswer) -> bool:
    """Whether the request is ours because whoever began it died or gave up. The WHERE gives one of many the right."""
    if row.started_at + _LEASE > clock.now():
        return False
    taken = session.execute(
        update(KeyedAnswer)
        .filter_by(customer_id=row.customer_id, key=row.key, started_at=row.started_at)
        .where(KeyedAnswer.status.is_(None))
        .values(started_at=clock.now())
        .returning(KeyedAnswer.key)
        .execution_options(synchronize_session=False)
    )
    return taken.first() is not None


def _write(session: Session, customer_id: str, key: str, **values: Any) -> None:
    session.execute(
        update(KeyedAnswer)
        .filter_by(customer_id=customer_id, key=key)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _forget_old(session: Session, customer_id: str) -> None:
    """Drop this customer's answers of more than a week ago: each new one pays for the sweeping."""
    session.execute(
        delete(KeyedAnswer)
        .where(KeyedAnswer.customer_id == customer_id, KeyedAnswer.started_at < clock.now() - _KEPT)
        .execution_options(synchronize_session=False)
    )
