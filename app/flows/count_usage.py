"""Counting usage that many report at once: who comes first counts for all who wait, in one transaction (SPEC U1).

One customer's events queue for their usage row anyway; counted together they cost one transaction and not one each. On
SQLite, where there is one writer, everybody's do. Nobody waits for company: with no queue a request is counted at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from threading import Event, Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from app import metering
from app.db import transaction
from app.metering import NewEvent, Recorded

_MOST_EVENTS = 2_000  # in one transaction, beyond the first request's: others wait for the lock meanwhile


@dataclass(eq=False, slots=True)
class _Request:
    """A report that waits: for its result, or for its turn to count."""

    customer_id: str
    events: Sequence[NewEvent]
    woken: Event = field(default_factory=Event)
    result: Recorded | None = None
    fault: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.result is not None or self.fault is not None


@dataclass(eq=False, slots=True)
class _Line:
    """Those who wait, in the order in which they came; one of them is counting."""

    waiting: list[_Request] = field(default_factory=list)
    is_busy: bool = False


_guard = Lock()
_lines: WeakKeyDictionary[Engine, dict[str, _Line]] = WeakKeyDictionary()


def record(session: Session, customer_id: str, events: Sequence[NewEvent]) -> Recorded:
    """Count these events, durably: see `metering.record`. Raises what that raises, for this request alone."""
    session.rollback()  # waiting in line must not hold a connection
    engine = _engine(session)
    place = customer_id if engine.dialect.name == "postgresql" else ""
    mine = _Request(customer_id, events)
    with _guard:
        line = _lines.setdefault(engine, {}).setdefault(place, _Line())
        line.waiting.append(mine)
        is_first, line.is_busy = not line.is_busy, True
    if not is_first:
        mine.woken.wait()
    if not mine.is_done:
        _lead(session, engine, place, line)
    if mine.fault is not None:
        raise mine.fault
    assert mine.result is not None, "it was counted"
    return mine.result


def _lead(session: Session, engine: Engine, place: str, line: _Line) -> None:
    """Count for all who wait now, then wake them, and whoever is to count next."""
    with _guard:
        batch = _next(line)
    try:
        _count(session, batch)
    except BaseException as fault:
        for request in batch:
            if not request.is_done:
                request.fault = fault
    finally:
        with _guard:
            following = line.waiting[0] if line.waiting else None
            if following is None:
                _lines[engine].pop(place, None)
                line.is_busy = False
        for request in batch if following is None else [*batch, following]:
            request.woken.set()


def _next(line: _Line) -> list[_Request]:
    room, taken = _MOST_EVENTS, 0
    while taken < len(line.waiting) and (taken == 0 or room >= len(line.waiting[taken].events)):
        room -= len(line.waiting[taken].events) if taken else 0
        taken += 1
    batch, line.waiting[:taken] = line.waiting[:taken], []
    return batch


def _count(session: Session, batch: list[_Request]) -> None:
    """All in one transaction; when that breaks, each in its own, so that nobody fails for another one's fault."""
    try:
        with transaction(session):
            results = [pair for customer in _by_customer(batch) for pair in _of_customer(session, customer)]
        for request, result in results:
            request.result = result
    except Exception as fault:
        if len(batch) == 1:
            batch[0].fault = fault
            return
        for request in batch:
            _count(session, [request])


def _by_customer(batch: list[_Request]) -> list[list[_Request]]:
    """In one order of customers for all processes, so that two of them never wait for each other in a circle."""
    return [
        list(mine)
        for _, mine in groupby(sorted(batch, key=lambda one: one.customer_id), key=lambda one: one.customer_id)
    ]


def _of_customer(session: Session, requests: list[_Request]) -> list[tuple[_Request, Recorded]]:
    """One batch of a customer's reports, as if they had come one after the other, and what became of each."""
    taken = metering.take(session, requests[0].customer_id, [event for one in requests for event in one.events])
    told, start = [], 0
    for request in requests:
        end = start + len(request.events)
        told.append((request, metering.summary(request.events, taken[start:end])))
        start = end
    return told


def _engine(session: Session) -> Engine:
    bind = session.get_bind()
    return bind.engine if isinstance(bind, Connection) else bind
