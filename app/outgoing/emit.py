"""Telling the host product: an event, and one delivery for each endpoint that wants it, in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock, ids
from app.customers import customers
from app.outgoing.event_types import EVENT_TYPES
from app.outgoing.models import WebhookDelivery, WebhookEndpoint, WebhookEvent

Data = Mapping[str, Any]


def emit(
    session: Session, customer_id: str, event_type: str, data: Data | Callable[[], Data], *, key: str
) -> str | None:
    """Tell of this once per (customer, type, key); the event's id, or None when nobody asked or it was told before.

    `data` must be fit for JSON: money as integers, times as RFC 3339; a function is only called if somebody asked. The
    customer, by our id and the host product's, is added. Nothing is sent here: a worker does that after the commit.
    """
    assert event_type in EVENT_TYPES, f"{event_type} is not in the table"
    wanting = _wanting(session, event_type)
    if not wanting:
        return None
    now = clock.now()
    event = {
        "customer_id": customer_id,
        "id": ids.new("evt"),
        "type": event_type,
        "key": key,
        "body": _body(session, customer_id, event_type, data() if callable(data) else data),
        "at": now,
    }
    once = insert(WebhookEvent).values(event).on_conflict_do_nothing(index_elements=["customer_id", "type", "key"])
    if session.scalar(once.returning(WebhookEvent.id)) is None:
        return None
    for endpoint_id in wanting:
        delivery = WebhookDelivery(
            customer_id=customer_id,
            id=ids.new("dlv"),
            endpoint_id=endpoint_id,
            event_id=event["id"],
            type=event_type,
            state="pending",
            attempts=0,
            tries=0,
            due_at=now,
            created_at=now,
        )
        session.add(delivery)
    return str(event["id"])


def _wanting(session: Session, event_type: str) -> list[str]:
    """The endpoints that asked for this type. They are a handful, and the list of types is JSON."""
    on = select(WebhookEndpoint.id, WebhookEndpoint.types).where(WebhookEndpoint.state == "on")
    return [row.id for row in session.execute(on) if not row.types or event_type in row.types]


def _body(session: Session, customer_id: str, event_type: str, data: Data) -> str:
    """The message as it will be sent: `type`, `timestamp` and `data`, as Standard Webhooks asks."""
    customer = customers.by_id(session, customer_id)
    whose = {"customer": customer_id, "external_id": customer.external_id if customer else None}
    told = {"type": event_type, "timestamp": clock.timestamp(clock.now()), "data": {**whose, **data}}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
