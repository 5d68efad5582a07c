"""What staff see: the endpoints, and the log of what was sent to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import place
from app.errors import NotFound
from app.outgoing.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent


@dataclass(frozen=True, slots=True)
class Line:
    """One delivery in the log, with the address it goes to."""

    delivery: WebhookDelivery
    url: str


@dataclass(frozen=True, slots=True)
class Log:
    """Some deliveries, newest first, and where the older ones begin; None at the end."""

    lines: list[Line]
    older: str | None


@dataclass(frozen=True, slots=True)
class One:
    """One delivery with its message and every try."""

    delivery: WebhookDelivery
    endpoint: WebhookEndpoint
    event: WebhookEvent
    attempts: Sequence[WebhookAttempt]


def endpoints(session: Session) -> list[WebhookEndpoint]:
    """Those that were not removed, oldest first; a handful."""
    there = select(WebhookEndpoint).where(WebhookEndpoint.state != "removed")
    return list(session.scalars(there.order_by(WebhookEndpoint.created_at, WebhookEndpoint.id)))


def endpoint(session: Session, endpoint_id: str) -> WebhookEndpoint:
    """Raises NotFound."""
    found = session.get(WebhookEndpoint, endpoint_id)
    if found is None or found.state == "removed":
        raise NotFound("There is no such endpoint.")
    return found


def log(
    session: Session,
    *,
    state: str | None = None,
    event_type: str | None = None,
    customer_id: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Log:
    """Deliveries to all endpoints, of all customers or one; `before` is what the page above gave as `older`."""
    found = select(WebhookDelivery, WebhookEndpoint.url).join(
        WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id
    )
    if state:
        found = found.where(WebhookDelivery.state == state)
    if event_type:
        found = found.where(WebhookDelivery.type == event_type)
    if customer_id:
        found = found.where(WebhookDelivery.customer_id == customer_id)
    if before:
        whose, _, delivery_id = before.partition(":")
        last = session.get(WebhookDelivery, (whose, delivery_id))
        if last is None:
            raise NotFound("There is no such delivery.")
        found = found.where(place.beyond(WebhookDelivery.created_at, WebhookDelivery.id, last.created_at, last.id))
    newest = found.order_by(WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc()).limit(limit + 1)
    lines = [Line(delivery, url) for delivery, url in session.execute(newest).all()]
    last_one = lines[limit - 1].delivery if len(lines) > limit else None
    return Log(lines[:limit], f"{last_one.customer_id}:{last_one.id}" if last_one else None)


def by_id(session: Session, delivery_id: str) -> WebhookDelivery:
    """A delivery named without its customer, as the host product does. Raises NotFound."""
    found = session.scalars(select(WebhookDelivery).where(WebhookDelivery.id == delivery_id)).first()
    if found is None:
        raise NotFound("There is no such delivery.")
    return found


def one(session: Session, customer_id: str, delivery_id: str) -> One:
    """Raises NotFound."""
    delivery = session.get(WebhookDelivery, (customer_id, delivery_id))
    if delivery is None:
        raise NotFound("There is no such delivery.")
    event = session.get_one(WebhookEvent, (delivery.customer_id, delivery.event_id))
    tries = select(WebhookAttempt).where(
        WebhookAttempt.customer_id == delivery.customer_id, WebhookAttempt.delivery_id == delivery.id
    )
    attempts = session.scalars(tries.order_by(WebhookAttempt.number.desc()).limit(50)).all()
    return One(delivery, session.get_one(WebhookEndpoint, delivery.endpoint_id), event, attempts)
