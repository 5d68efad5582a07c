"""Where an order's money is that has not come: what its provider has told, and what became of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.payments.models import Order, ProviderEvent

MOST = 50
Where = Literal["gave_up", "retried", "coming", "not_asked", "not_told", "on_its_way", "over"]


@dataclass(frozen=True, slots=True)
class Event:
    """A webhook event that has done nothing (yet)."""

    id: str
    channel: str
    type: str
    state: str
    error: str
    attempts: int
    received_at: datetime
    next_at: datetime
    order_id: str | None
    object_id: str | None


@dataclass(frozen=True, slots=True)
class Missing:
    """`where` the money of an order is; `event` is what was told of it, where something was."""

    where: Where
    event: Event | None = None


def events(session: Session, customer_id: str, orders: Sequence[Order] = ()) -> list[Event]:
    """The customer's events that have done nothing, newest first; also those about these orders' pages. One SELECT."""
    e = ProviderEvent
    columns = (e.id, e.provider, e.type, e.state, e.error, e.attempts, e.received_at, e.next_at)
    pages = sorted({name for order in orders for name in (order.provider_ref, order.payment_id) if name})
    undone = e.state.in_(("dead", "pending"))
    theirs = and_(e.customer_id == customer_id, undone)
    about = and_(e.object_id.in_(pages), undone, or_(e.customer_id.is_(None), e.customer_id == customer_id))
    query = select(*columns, e.order_id, e.object_id).where(or_(theirs, about) if pages else theirs)
    found = query.order_by(e.received_at.desc(), e.id.desc()).limit(MOST)
    return [_event(row) for row in session.execute(found)]


def of_orders(orders: Sequence[Order], told: Sequence[Event]) -> dict[str, Missing]:
    """For each order that is not paid, where its money is. `told` are the customer's `events`."""
    unpaid = [order for order in orders if order.state != "paid"]
    return {order.id: _of(order, [event for event in told if _is_about(event, order)]) for order in unpaid}


def _of(order: Order, told: Sequence[Event]) -> Missing:
    """What gave up counts most: that is what a person must do something about."""
    gave_up = [event for event in told if event.state == "dead"]
    retried = [event for event in told if event.state == "pending" and event.error]
    coming = [event for event in told if event.state == "pending"]
    ways: tuple[tuple[Where, list[Event]], ...] = (("gave_up", gave_up), ("retried", retried), ("coming", coming))
    for where, found in ways:
        if found:
            return Missing(where, found[0])
    if order.is_final:
        return Missing("over")
    waits: dict[str, Where] = {"pending": "not_asked", "processing": "on_its_way"}
    return Missing(waits.get(order.state, "not_told"))


def _is_about(event: Event, order: Order) -> bool:
    if event.order_id is not None:
        return event.order_id == order.id
    return event.channel == order.channel and event.object_id in (order.provider_ref, order.payment_id)


def _event(row: Any) -> Event:
    return Event(
        id=row.id, channel=row.provider, type=row.type, state=row.state, error=row.error or "", attempts=row.attempts,
        received_at=row.received_at, next_at=row.next_at, order_id=row.order_id, object_id=row.object_id,
    )  # fmt: skip
