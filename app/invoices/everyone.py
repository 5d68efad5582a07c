"""Everybody's invoices, for staff: newest first, by cursor, and what the unpaid ones come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from app import place
from app.errors import NotFound
from app.invoices.models import Invoice

# What a filter's words mean. "failed": still to be paid, and the last try to collect it did not work.
STATES: Mapping[str, ColumnElement[bool]] = {
    "open": Invoice.status == "open",
    "failed": and_(Invoice.status == "open", Invoice.failed_at.is_not(None)),
    "paid": Invoice.status == "paid",
    "refunded": Invoice.status == "refunded",
    "void": Invoice.status == "void",
    "uncollectible": Invoice.status == "uncollectible",
}
UNPAID = ("open", "failed")  # of these there are few at any time, and their sum is known without reading the others


@dataclass(frozen=True, slots=True)
class Asked:
    """Which invoices: `state` is a word of STATES; sizes are totals in minor units, both included; [since, until)."""

    state: str = ""
    number: str = ""
    customer_id: str = ""
    least: int | None = None
    most: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some invoices, and the id to ask for the older ones with; None at the end."""

    invoices: list[Invoice]
    older: str | None


@dataclass(frozen=True, slots=True)
class Sum:
    """How many, and what is still to be paid of them in minor units of one currency."""

    count: int
    due_minor: int


def page(session: Session, asked: Asked, *, before: str | None = None, limit: int = 50) -> Page:
    """Raises NotFound for a strange `before`."""
    wanted = select(Invoice).where(*_wanted(asked))
    if before is not None:
        last = session.execute(select(Invoice.created_at, Invoice.id).where(Invoice.id == before)).first()
        if last is None:
            raise NotFound("There is no such invoice.")
        wanted = wanted.where(place.beyond(Invoice.created_at, Invoice.id, *last))
    rows = list(session.scalars(wanted.order_by(Invoice.created_at.desc(), Invoice.id.desc()).limit(limit + 1)))
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def summed(session: Session, asked: Asked, currency: str) -> Sum:
    """Over every invoice asked for. What is billed in another currency is counted, and adds nothing."""
    due = func.sum(Invoice.total_minor - Invoice.paid_minor - Invoice.credited_minor)
    ours = due.filter(Invoice.status == "open", Invoice.currency == currency)
    count, minor = session.execute(select(func.count(), func.coalesce(ours, 0)).where(*_wanted(asked))).one()
    return Sum(count, int(minor))


def _wanted(asked: Asked) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [STATES[asked.state] if asked.state else Invoice.status != "draft"]
    if asked.number:
        where.append(Invoice.number == asked.number)
    if asked.customer_id:
        where.append(Invoice.customer_id == asked.customer_id)
    if asked.least is not None:
        where.append(Invoice.total_minor >= asked.least)
    if asked.most is not None:
        where.append(Invoice.total_minor <= asked.most)
    if asked.since is not None:
        where.append(Invoice.created_at >= asked.since)
    if asked.until is not None:
        where.append(Invoice.created_at < asked.until)
    return where
