"""What waits for somebody: payments that failed, disputes, refunds, and messages that were not taken or delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from app.outgoing.models import WebhookDelivery, WebhookEndpoint
from app.payments.models import Dispute, ProviderEvent, Refund


@dataclass(frozen=True, slots=True)
class Queue:
    """Messages on their way: those that wait for their first try, for another one, and those given up.

    `oldest` is since when the oldest of those under way waits.
    """

    waiting: int
    retrying: int
    given_up: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Sum:
    """How many, and what they come to in minor units of one currency; others are counted, and add nothing."""

    count: int
    minor: int


LIVE_DISPUTES = ("inquiry", "open")  # something can still be done about them


def disputes(session: Session, phases: Sequence[str], currency: str) -> Sum:
    """What banks ask for, fees not included, over the disputes in these phases (all, where none is named)."""
    d = Dispute
    return _sum(session, d.amount_minor, d.currency == currency, d.phase.in_(phases) if phases else true())


def refunds(session: Session, states: Sequence[str], currency: str, customer_id: str | None = None) -> Sum:
    """What goes back to payers, tax included, over the refunds in these states."""
    r = Refund
    whose = r.customer_id == customer_id if customer_id else true()
    return _sum(session, r.amount_minor, r.currency == currency, r.state.in_(states), whose)


def inbox(session: Session) -> Queue:
    """What providers told us and is not applied."""
    e = ProviderEvent
    under_way, tried = e.state == "pending", e.error.is_not(None)
    found = session.execute(
        select(
            func.count().filter(under_way, ~tried),
            func.count().filter(under_way, tried),
            func.count().filter(e.state == "dead"),
            func.min(e.received_at).filter(under_way),
        ).where(e.state.in_(("pending", "dead")))
    ).one()
    return Queue(*found)


def outgoing(session: Session) -> Queue:
    """What we tell the host product and is not delivered."""
    d = WebhookDelivery
    under_way = d.state == "pending"
    found = session.execute(
        select(
            func.count().filter(under_way, d.tries == 0),
            func.count().filter(under_way, d.tries > 0),
            func.count().filter(d.state == "gave_up"),
            func.min(d.created_at).filter(under_way),
        ).where(d.state.in_(("pending", "gave_up")))
    ).one()
    return Queue(*found)


def failing_endpoints(session: Session) -> int:
    """How many addresses of the host product have not answered well since they last failed."""
    e = WebhookEndpoint
    return session.scalar(select(func.count()).where(e.state == "on", e.failing_since.is_not(None))) or 0


def next_disputes(session: Session, limit: int = 5) -> list[Dispute]:
    """Disputes about which something can still be done, the nearest deadline first."""
    d = Dispute
    live = select(d).where(d.phase.in_(LIVE_DISPUTES))
    return list(session.scalars(live.order_by(d.due_by.is_(None), d.due_by, d.opened_at, d.id).limit(limit)))


def _sum(session: Session, minor: Any, ours: ColumnElement[bool], *where: ColumnElement[bool]) -> Sum:
    count, total = session.execute(
        select(func.count(), func.coalesce(func.sum(minor).filter(ours), 0)).where(*where)
    ).one()
    return Sum(count, int(total))
