"""The timeline: the audit log, payments, notices and webhook events of one customer in one order of time, by cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session, defer

from app import place
from app.activity.models import Activity
from app.notices.models import Notice
from app.payments.models import Payment, ProviderEvent

Source = tuple[type[Any], InstrumentedAttribute[Any], InstrumentedAttribute[Any], InstrumentedAttribute[Any]]
# What each source is: its rows, whose, when, and the name that parts two of one instant. Of one instant, first comes
# the webhook, then what it did: read from below the order in which they happened.
SOURCES: dict[str, Source] = {
    "notice": (Notice, Notice.customer_id, Notice.at, Notice.id),
    "activity": (Activity, Activity.customer_id, Activity.at, Activity.id),
    "payment": (Payment, Payment.customer_id, Payment.at, Payment.payment_id),
    "webhook": (ProviderEvent, ProviderEvent.customer_id, ProviderEvent.received_at, ProviderEvent.id),
}
_RANK = {source: rank for rank, source in enumerate(SOURCES)}


@dataclass(frozen=True)
class Happened:
    """One line: its row, and which of SOURCES it is of."""

    source: str
    at: datetime
    id: str
    row: Any


@dataclass(frozen=True)
class Page:
    """Some lines, newest first, and the cursor of the next older page, None at the end."""

    lines: list[Happened]
    older: str | None
    newest: dict[str, list[Any]]  # of each source the newest rows below the cursor, as they were read anyway


def page(
    session: Session, customer_id: str, *, sources: Sequence[str] = (), before: str | None = None, limit: int = 50
) -> Page:
    """One SELECT by an index for each of the `sources`, or all of SOURCES. Raises Invalid for a strange cursor."""
    below = _read_cursor(before) if before else None
    read = {source: _lines(session, customer_id, source, below, limit + 1) for source in sources or SOURCES}
    lines = [line for found in read.values() for line in found]
    lines.sort(key=lambda line: line.id, reverse=True)
    lines.sort(key=lambda line: _RANK[line.source])
    lines.sort(key=lambda line: line.at, reverse=True)
    newest = {source: [line.row for line in found] for source, found in read.items()}
    return Page(lines[:limit], _cursor(lines[limit - 1]) if len(lines) > limit else None, newest)


def _lines(
    session: Session, customer_id: str, source: str, below: tuple[datetime, int, str] | None, limit: int
) -> list[Happened]:
    model, whose, at, name = SOURCES[source]
    query: Select[Any] = select(model).where(whose == customer_id)
    if model is ProviderEvent:
        query = query.options(defer(ProviderEvent.body), defer(ProviderEvent.headers))
    if below is not None:
        query = query.where(_below(source, below))
    rows = session.scalars(query.order_by(at.desc(), name.desc()).limit(limit))
    instant: Callable[[Any], datetime] = lambda row: getattr(row, at.key)  # noqa: E731
    return [Happened(source, instant(row), getattr(row, name.key), row) for row in rows]


def _below(source: str, below: tuple[datetime, int, str]) -> ColumnElement[bool]:
    _, _, at, name = SOURCES[source]
    instant, rank, last = below
    mine = _RANK[source]
    if mine > rank:
        return at <= instant
    return at < instant if mine < rank else place.beyond(at, name, instant, last)


def _cursor(line: Happened) -> str:
    return place.written(line.at, f"{_RANK[line.source]}~{line.id}")


def _read_cursor(text: str) -> tuple[datetime, int, str]:
    at, rest = place.read(text)
    rank, _, last = rest.partition("~")
    if rank not in map(str, _RANK.values()) or not last:
        raise place.gone()
    return at, int(rank), last
