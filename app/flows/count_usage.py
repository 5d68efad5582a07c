"""Counting usage that many report at once: who comes first counts for all who wait, in one transaction (SPEC U1).

Counted together, reports cost one transaction and not one each; one customer's would queue for their usage row anyway.
Nobody waits for company: with no queue a report is counted at once. What is answered is durable.
"""

from __future__ import annotations

import contextlib
import os
import time
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import direct, metering
from app.db import transaction
from app.metering import NewEvent, Recorded
from app.waiting_line import Line

_LINES, _LARGE = 4, 100  # on PostgreSQL: one for small reports, the others for those of so many events
_MOST_EVENTS = 2_000  # in one transaction of several reports: others wait for the locks meanwhile
# Seconds after which nothing is tried again: one may wait 15 s for a lock, and the HTTP server gives up after 60.
_PATIENCE = 5.0
_leaked: list[Any] = []  # connections inherited through a fork: closing them would hang up on the parent


class _Report(NamedTuple):
    customer_id: str
    events: Sequence[NewEvent]


class Counter:
    """One per process, safe to share between threads, and to inherit through a fork."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reset()
        this = weakref.ref(self)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: _after_fork(this))

    def record(self, customer_id: str, events: Sequence[NewEvent]) -> Recorded:
        """Count these events, durably: see `metering.record`. Raises what that raises, for this report alone.

        Must not be called inside a transaction that has changed the same customer's usage: it would wait for itself.
        """
        [told] = self._line_of(customer_id, len(events)).do([_Report(customer_id, events)])
        if isinstance(told, Exception):
            raise told
        return told

    def close(self) -> None:
        """Give the connections back. The next report opens a new one."""
        for line in self._lines:
            line.clerk.close()

    def _line_of(self, customer_id: str, size: int) -> Line[_Report, Recorded]:
        """The first, which most share; a large report gains nothing from company, and has the others held up."""
        others = self._lines[1:]
        return others[hash(customer_id) % len(others)] if others and size >= _LARGE else self._lines[0]

    def _reset(self) -> None:
        lines = 1 if self._engine.dialect.name == "sqlite" else _LINES  # SQLite has one writer
        self._lines: list[Line[_Report, Recorded]] = [
            Line(_Clerk(self._engine), _MOST_EVENTS, _size) for _ in range(lines)
        ]


class _Clerk:
    """Counts one batch after the other, on a connection of its own outside the pool.

    An event counts once for its id, so a batch whose fate is unknown (the connection broke during the commit) is simply
    counted again: what had been written answers as a duplicate.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._session: Session | None = None

    def apply(self, reports: Sequence[_Report], /) -> list[Recorded | Exception]:
        began = time.monotonic()
        try:
            return self._count(reports)
        except Exception as fault:
            self.close()
            if len(reports) == 1 and not isinstance(fault, DBAPIError):
                return [fault]
            broken = fault
        # Nobody fails for another one's fault, nor because the connection was kept too long.
        return [self._alone(report) if time.monotonic() - began < _PATIENCE else broken for report in reports]

    def _alone(self, report: _Report) -> Recorded | Exception:
        try:
            return self._count([report])[0]
        except Exception as fault:
            self.close()
            return fault

    def _count(self, reports: Sequence[_Report]) -> list[Recorded | Exception]:
        """All in one transaction, a customer's reports as if they had come one after the other."""
        together: dict[str, list[NewEvent]] = {}
        starts = []
        for customer_id, events in reports:
            mine = together.setdefault(customer_id, [])
            starts.append(len(mine))
            mine.extend(events)
        with transaction(self._session or self._open()) as session:
            taken = metering.take(session, together)
        return [
            metering.summary(report.events, taken[report.customer_id][start : start + len(report.events)])
            for report, start in zip(reports, starts, strict=True)
        ]

    def _open(self) -> Session:
        self._connection = self._engine.connect()
        self._connection.detach()
        self._connection.info[direct.PREPARED] = {}  # whenever something fails it is closed, and never rolled back
        self._session = Session(self._connection, expire_on_commit=False)
        if self._engine.dialect.name == "postgresql":
            with transaction(self._session):
                for setting in direct.BY_KEYS:
                    self._connection.exec_driver_sql(setting)
        return self._session

    def close(self) -> None:
        session, connection = self._session, self._connection
        self._session = self._connection = None
        for each in (session, connection):
            if each is not None:
                with contextlib.suppress(Exception):
                    each.close()

    def abandon(self) -> None:
        if self._connection is not None:
            _leaked.append((self._session, self._connection))
            self._session = self._connection = None


def _size(report: _Report) -> int:
    return len(report.events)


def _after_fork(this: weakref.ref[Counter]) -> None:
    """In the child: the parent's connection is the parent's, and nobody is waiting here."""
    counter = this()
    if counter is not None:
        for line in counter._lines:  # noqa: SLF001 - the same module
            line.clerk.abandon()
        counter._engine.dispose(close=False)  # noqa: SLF001
        counter._reset()  # noqa: SLF001
