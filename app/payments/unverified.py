"""Deliveries that could not be verified: counted by channel, day and reason, and forgotten (SPEC V2).

Anybody can send them, a thousand a second too, so a count costs no write: each process keeps its own and writes it now
and then. Of what was in a delivery nothing is kept, and what a process counted last may be lost when it ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock
from app.payments.unverified_table import RefusedDelivery

_PAUSE = 60.0  # seconds between two writes of one process


@dataclass(frozen=True, slots=True)
class Refused:
    """How many deliveries to a channel were refused for one reason, over some days."""

    channel: str
    code: str
    count: int
    last_at: datetime


class Counts:
    """What one process counted and has not written yet."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now, self._lock = now, Lock()
        self._written: float | None = None
        self._waiting: Counter[tuple[str, str, str]] = Counter()

    def add(self, channel: str, code: str) -> None:
        """One more. `channel` must be a configured one: what strangers name is not a place to count in."""
        with self._lock:
            self._waiting[channel, f"{clock.now():%Y-%m-%d}", code] += 1

    def due(self, *, at_once: bool = False) -> Counter[tuple[str, str, str]]:
        """What is to be written now, which is then no longer waiting; empty when it is too soon or there is nothing."""
        with self._lock:
            soon = self._written is not None and self._now() - self._written < _PAUSE
            if not self._waiting or (soon and not at_once):
                return Counter()
            taken, self._waiting, self._written = self._waiting, Counter(), self._now()
            return taken


def keep(session: Session, counted: Counter[tuple[str, str, str]]) -> None:
    """Add counts to the table. In a transaction."""
    now = clock.now()
    for (channel, day, code), count in sorted(counted.items()):
        row = {"channel": channel, "day": day, "code": code, "count": count, "last_at": now}
        told = insert(RefusedDelivery).values(row)
        more = {"count": RefusedDelivery.count + told.excluded.count, "last_at": told.excluded.last_at}
        session.execute(told.on_conflict_do_update(index_elements=["channel", "day", "code"], set_=more))


def lately(session: Session, days: int = 7) -> list[Refused]:
    """What was refused in the last days, this one included, by channel and reason."""
    since = f"{clock.now() - timedelta(days=days - 1):%Y-%m-%d}"
    table = RefusedDelivery
    found = (
        select(table.channel, table.code, func.sum(table.count), func.max(table.last_at))
        .where(table.day >= since)
        .group_by(table.channel, table.code)
        .order_by(table.channel, table.code)
    )
    return [Refused(channel, code, int(count), last) for channel, code, count, last in session.execute(found)]
