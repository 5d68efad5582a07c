"""Orders and the webhook inbox for pages: by cursor, never by offset over what grows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, defer

from app.errors import NotFound
from app.payments.models import EVENT_STATES, Order, ProviderEvent


@dataclass(frozen=True)
class EventPage:
    """Some events, newest first (without their bodies), and the id to ask for the older ones, None at the end."""

    events: list[ProviderEvent]
    older: str | None


def order(session: Session, customer_id: str, order_id: str) -> Order:
    """One order of this customer. Raises NotFound, the same for another customer's."""
    found = session.get(Order, (customer_id, order_id))
    if found is None:
        raise NotFound("There is no such payment.")
    return found


def orders_of(session: Session, customer_id: str, *, limit: int = 50) -> list[Order]:
    """A customer's orders, newest first."""
    mine = select(Order).where(Order.customer_id == customer_id)
    return list(session.scalars(mine.order_by(Order.created_at.desc(), Order.id.desc()).limit(limit)))


def events(
    session: Session,
    *,
    state: str | None = None,
    before: str | None = None,
    limit: int = 50,
    channel: str | None = None,
    type_starts: str = "",
) -> EventPage:
    """The inbox, newest first; `before` is the last id of the page above. Raises NotFound for a strange one."""
    found = select(ProviderEvent).options(defer(ProviderEvent.body))
    if state is not None:
        found = found.where(ProviderEvent.state == state)
    if channel is not None:
        found = found.where(ProviderEvent.provider == channel)
    if type_starts:
        found = found.where(ProviderEvent.type.startswith(type_starts, autoescape=True))
    if before is not None:
        last = event(session, before)
        at = ProviderEvent.received_at
        found = found.where(or_(at < last.received_at, and_(at == last.received_at, ProviderEvent.id < last.id)))
    rows = list(
        session.scalars(found.order_by(ProviderEvent.received_at.desc(), ProviderEvent.id.desc()).limit(limit + 1))
    )
    return EventPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def event(session: Session, event_id: str) -> ProviderEvent:
    """One event with its body. Raises NotFound."""
    found = session.get(ProviderEvent, event_id)
    if found is None:
        raise NotFound("There is no such event.")
    return found


def counts(session: Session) -> dict[str, int]:
    """How many events are in each state; every state is named."""
    found = dict.fromkeys(EVENT_STATES, 0)
    for state, number in session.execute(select(ProviderEvent.state, func.count()).group_by(ProviderEvent.state)):
        found[state] = number
    return found
