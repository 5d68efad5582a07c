"""`/v1/webhook-deliveries`: the log of what the host product was sent, and sending it again (SPEC §12.4)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from app import clock
from app.api import calls
from app.api.answers import CustomerId, Instant
from app.api.values import Answer, Limited
from app.customers import customers
from app.db import transaction
from app.errors import Invalid, NotFound
from app.extensions import db
from app.outgoing import EVENT_TYPES, deliveries, reads
from app.outgoing.models import DELIVERY_STATES, WebhookAttempt, WebhookDelivery

api_webhook_deliveries = calls.group(
    "api_webhook_deliveries", "Webhook deliveries", "What was sent to your endpoints, and sending it again."
)

DeliveryId = Annotated[str, Field(examples=["dlv_01k9yq3v7n4m8s2t6w0x5z1b3d"])]
State = Annotated[
    Literal["pending", "delivered", "gave_up", "stopped"],
    Field(description="`stopped`: kept, since its endpoint is switched off.", examples=["gave_up"]),
]
Type = Annotated[str, Field(json_schema_extra={"enum": list(EVENT_TYPES)}, examples=["invoice.paid"])]


class DeliveriesQuery(Limited):
    state: Literal["pending", "delivered", "gave_up", "stopped"] | None = Field(default=None)
    type: str | None = Field(default=None, max_length=40, description="Only events of this type.")
    customer: str | None = Field(default=None, max_length=200, description="Only of this customer: our id, or yours.")
    cursor: str | None = Field(default=None, max_length=64, description="`next_cursor` of the page before.")


class DeliveryPath(BaseModel):
    delivery_id: str = Field(max_length=64)


class DeliveryAnswer(Answer):
    """One event on its way to one endpoint."""

    id: DeliveryId
    event_id: str = Field(description="The `webhook-id` it is sent with.", examples=["evt_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    type: Type
    customer: CustomerId
    endpoint_id: str = Field(examples=["hook_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    url: str = Field(examples=["https://app.example.com/webhooks/purser"])
    state: State
    attempts: int = Field(examples=[10])
    last_status: int | None = Field(description="Of the latest answer; null when there was none.", examples=[500])
    last_error: str | None = Field(description="Why there was none, in words.")
    created_at: Instant
    delivered_at: Instant | None
    next_attempt_at: Instant | None = Field(description="Null when none is due.")


class DeliveriesAnswer(Answer):
    """Deliveries, newest first."""

    deliveries: list[DeliveryAnswer]
    next_cursor: str | None = Field(description="Ask for `cursor` with this to go on; null at the end.")


class AttemptAnswer(Answer):
    number: int = Field(examples=[1])
    at: Instant
    status: int | None = Field(examples=[500])
    error: str | None
    milliseconds: int = Field(examples=[87])


class OneDeliveryAnswer(DeliveryAnswer):
    """One delivery with its message as it is sent, and the latest 50 tries, the newest first."""

    message: dict[str, Any] = Field(
        examples=[{"type": "invoice.paid", "timestamp": "2026-11-21T09:30:00Z", "data": {"customer": "cus_…"}}]
    )
    tries: list[AttemptAnswer]


@api_webhook_deliveries.get("/v1/webhook-deliveries", responses={200: DeliveriesAnswer})
@calls.call("billing:read", kinds=("service",), for_a_customer=False)
def index(query: DeliveriesQuery) -> Response:
    """The log, newest first, over all customers and endpoints"""
    if query.type is not None and query.type not in EVENT_TYPES:
        raise Invalid(f"type: One of {', '.join(EVENT_TYPES)}.", field="type")
    found = reads.log(
        db.session(),
        state=query.state,
        event_type=query.type,
        customer_id=_customer(query.customer),
        before=_place(query.cursor),
        limit=query.limit,
    )
    lines = [DeliveryAnswer(**_told(line.delivery, line.url)) for line in found.lines]
    return calls.reply(DeliveriesAnswer(deliveries=lines, next_cursor=lines[-1].id if found.older else None))


@api_webhook_deliveries.get("/v1/webhook-deliveries/<delivery_id>", responses={200: OneDeliveryAnswer})
@calls.call("billing:read", kinds=("service",), for_a_customer=False)
def show(path: DeliveryPath) -> Response:
    """One delivery, with its message and its tries"""
    found = reads.by_id(db.session(), path.delivery_id)
    return calls.reply(_whole(found.customer_id, found.id))


@api_webhook_deliveries.post("/v1/webhook-deliveries/<delivery_id>/resend", responses={200: OneDeliveryAnswer})
@calls.call("webhooks:write", kinds=("service",), for_a_customer=False)
def resend(path: DeliveryPath) -> Response:
    """Send it once more

    The same message under the same `webhook-id`, with all its tries before it. 409 while its endpoint is switched off.
    """
    with transaction(db.session()) as session:
        found = reads.by_id(session, path.delivery_id)
        deliveries.send_again(session, found.customer_id, found.id, actor=calls.caller().key_id)
    return calls.reply(_whole(found.customer_id, found.id))


def _customer(named: str | None) -> str | None:
    if named is None:
        return None
    found = customers.by_id(db.session, named) or customers.by_external_id(db.session, named)
    if found is None:
        raise NotFound("There is no such customer.", field="customer")
    return found.id


def _place(cursor: str | None) -> str | None:
    """What `reads.log` calls the place of a delivery. Raises Invalid for a cursor that never was one."""
    if cursor is None:
        return None
    try:
        last = reads.by_id(db.session(), cursor)
    except NotFound:
        raise Invalid("Take the cursor from the page before.", field="cursor") from None
    return f"{last.customer_id}:{last.id}"


def _whole(customer_id: str, delivery_id: str) -> OneDeliveryAnswer:
    one = reads.one(db.session(), customer_id, delivery_id)
    told = _told(one.delivery, one.endpoint.url)
    return OneDeliveryAnswer(
        **told, message=json.loads(one.event.body), tries=[_attempt(each) for each in one.attempts]
    )


def _told(delivery: WebhookDelivery, url: str) -> dict[str, Any]:
    assert delivery.state in DELIVERY_STATES
    waits = delivery.state == "pending"
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "type": delivery.type,
        "customer": delivery.customer_id,
        "endpoint_id": delivery.endpoint_id,
        "url": url,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "created_at": clock.timestamp(delivery.created_at),
        "delivered_at": clock.timestamp(delivery.delivered_at) if delivery.delivered_at else None,
        "next_attempt_at": clock.timestamp(delivery.due_at) if waits else None,
    }


def _attempt(one: WebhookAttempt) -> AttemptAnswer:
    return AttemptAnswer(
        number=one.number,
        at=clock.timestamp(one.at),
        status=one.status,
        error=one.error,
        milliseconds=one.milliseconds,
    )
