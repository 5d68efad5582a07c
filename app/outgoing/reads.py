"""What staff see: the endpoints, and the log of what was sent to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.outgoing.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent


@dataclass(frozen=True, slots=True)
class Line:
    """One delivery in the log, with the address it goes to."""

    delivery: WebhookDelivery
    url: str


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
    session: Session, *, state: str | None = None, before: tuple[datetime, str] | None = None, limit: int = 50
) -> list[Line]:
    """Deliveries, newest first, in pages: `before` is the last line's created_at and id."""
    found = select(WebhookDelivery, WebhookEndpoint.url).join(
        WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id
    )
    if state:
        found = found.where(WebhookDelivery.state == state)
    if before:
        found = found.where(tuple_(WebhookDelivery.created_at, WebhookDelivery.id) < before)
    newest = found.order_by(WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc()).limit(limit)
    return [Line(delivery, url) for delivery, url in session.execute(newest).all()]


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
