"""Orders and the webhook inbox for pages: by cursor, never by offset over what grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, case, func, literal, select, union_all
from sqlalchemy.orm import Session, defer

from app import few_words, place
from app.errors import NotFound
from app.payments.models import EVENT_STATES, WAITING, Order, Payment, ProviderEvent

# What a filter's words mean, for pages and the API: what was bought, and how its payment stands.
KINDS: Mapping[str, tuple[str, ...]] = {
    "plan": ("subscription",), "pack": ("pack",), "topup": ("topup", "auto_topup"), "invoice": ("invoice",),
}  # fmt: skip
STATES: Mapping[str, tuple[str, ...]] = {
    "waiting": WAITING,
    "paid": ("paid",),
    "failed": ("failed",),
    "closed": ("canceled", "expired"),
}

FEW = ("pending", "dead")  # the states of the inbox that are left again: of these there are few at any time


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


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Some orders, newest first, and the id to ask for the older ones with; None at the end."""

    orders: list[Order]
    older: str | None


def order_page(
    session: Session,
    customer_id: str,
    *,
    kind: str = "",
    state: str = "",
    before: str | None = None,
    offset: int = 0,
    limit: int = 50,
) -> OrderPage:
    """A customer's orders, newest first; `kind` and `state` are words of KINDS and STATES, "" for all.

    `before` is the last id of the page above. Raises NotFound for one that is none of theirs.
    """
    found = _orders(customer_id, kind, state)
    if before is not None:
        last = order(session, customer_id, before)
        found = found.where(place.beyond(Order.created_at, Order.id, last.created_at, last.id))
    newest_first = found.order_by(Order.created_at.desc(), Order.id.desc())
    rows = list(session.scalars(newest_first.offset(offset).limit(limit + 1)))
    return OrderPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def _orders(customer_id: str, kind: str, state: str) -> Select[Order]:
    found = select(Order).where(Order.customer_id == customer_id)
    if kind:
        found = found.where(Order.kind.in_(KINDS[kind]))
    if state:
        found = found.where(Order.state.in_(STATES[state]))
    return found


def packs_sold(session: Session, since: datetime) -> dict[str, tuple[int, int]]:
    """How many of each pack were paid since an instant, and what was billed for them, in minor units before tax."""
    key = Order.request["pack"].as_string()
    billed = case((Order.payment_id.startswith("coupon:"), 0), else_=Order.amount_minor)
    sold = (
        select(key, func.count(), func.sum(billed))
        .where(Order.kind == "pack", Order.state == "paid", Order.paid_at >= since)
        .group_by(key)
    )
    return {pack: (count, int(minor)) for pack, count, minor in session.execute(sold)}


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
    e = ProviderEvent
    where = [column == wanted for column, wanted in ((e.state, state), (e.provider, channel)) if wanted is not None]
    if before is not None:
        last = event(session, before)
        where.append(place.beyond(e.received_at, e.id, last.received_at, last.id))
    if type_starts and state in FEW:
        where.append(e.type.startswith(type_starts, autoescape=True))
    elif type_starts:
        types = few_words.beginning_so(session, e.type, type_starts)
        if not types:
            return EventPage([], None)
        where = [e.id.in_(few_words.newest(e.id, e.received_at, e.type, types, limit + 1, *where))]
    found = select(e).options(defer(e.body)).where(*where)
    rows = list(session.scalars(found.order_by(e.received_at.desc(), e.id.desc()).limit(limit + 1)))
    return EventPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def event(session: Session, event_id: str) -> ProviderEvent:
    """One event with its body. Raises NotFound."""
    found = session.get(ProviderEvent, event_id)
    if found is None:
        raise NotFound("There is no such event.")
    return found


def payment(session: Session, channel: str, payment_id: str) -> Payment | None:
    """A payment by the provider's own id; None for one that was never told of."""
    return session.get(Payment, (channel, payment_id))


MOST_COUNTED = 1000  # of one state: an inbox of millions is not counted for a heading


def counts(session: Session) -> dict[str, int]:
    """How many events are in each state, `MOST_COUNTED` for as many and more; every state is named."""
    some = {
        state: select(ProviderEvent.id).where(ProviderEvent.state == state).limit(MOST_COUNTED).subquery()
        for state in EVENT_STATES
    }
    each = [select(literal(state), func.count()).select_from(found) for state, found in some.items()]
    return {state: int(number) for state, number in session.execute(union_all(*each))}
