"""Deliveries: taking those that are due, writing down how each try went, and sending one again by hand."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import activity, clock
from app.errors import Conflict, NotFound
from app.outgoing import endpoints
from app.outgoing.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent

LEASE = timedelta(minutes=2)  # longer than a batch can take; a worker that dies leaves it to the next
_SECONDS, _MINUTES, _HOURS = 1, 60, 3600
# The schedule that Standard Webhooks proposes: nine further tries in a little more than three days.
WAITS = tuple(
    timedelta(seconds=count * unit)
    for count, unit in (
        (5, _SECONDS), (5, _MINUTES), (30, _MINUTES), (2, _HOURS), (5, _HOURS), (10, _HOURS), (14, _HOURS),
        (20, _HOURS), (24, _HOURS),
    )
)  # fmt: skip
PATIENCE = timedelta(days=3)  # with an endpoint to which nothing gets through
_LONGEST_ERROR = 200


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery taken out for sending, in plain values: no transaction is open while the network is slow.

    `attempt` counts this try too. It is also whose turn it is: taking the delivery again makes it another number.
    """

    customer_id: str
    id: str
    endpoint_id: str
    url: str
    keys: tuple[str, ...] = field(repr=False)
    event_id: str
    body: bytes = field(repr=False)
    attempt: int
    tries: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status of the answer, or why there was none."""

    status: int | None
    error: str | None
    milliseconds: int

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def is_due(session: Session) -> bool:
    """Whether anything is to be sent now. A look alone takes no write lock."""
    due = select(WebhookDelivery.id).where(WebhookDelivery.state == "pending", WebhookDelivery.due_at <= clock.now())
    return session.scalar(due.limit(1)) is not None


def take(session: Session, limit: int) -> list[Parcel]:
    """Take due deliveries for sending. Nobody else gets them before the lease ends."""
    now = clock.now()
    due = (
        select(WebhookDelivery, WebhookEvent.body, WebhookEndpoint)
        .join(
            WebhookEvent,
            (WebhookEvent.customer_id == WebhookDelivery.customer_id) & (WebhookEvent.id == WebhookDelivery.event_id),
        )
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(WebhookDelivery.state == "pending", WebhookDelivery.due_at <= now)
        .order_by(WebhookDelivery.due_at, WebhookDelivery.id)
        .limit(limit)
        .with_for_update(of=WebhookDelivery, skip_locked=True)
    )
    parcels = []
    for delivery, body, endpoint in session.execute(due).all():
        if endpoint.state != "on":  # emitted while it was being switched off
            delivery.state = "stopped"
            continue
        delivery.due_at = now + LEASE
        delivery.attempts, delivery.tries = delivery.attempts + 1, delivery.tries + 1
        parcels.append(_parcel(delivery, body, endpoint))
    return parcels


def _parcel(delivery: WebhookDelivery, body: str, endpoint: WebhookEndpoint) -> Parcel:
    return Parcel(
        delivery.customer_id,
        delivery.id,
        endpoint.id,
        endpoint.url,
        tuple(endpoints.keys_of(endpoint)),
        delivery.event_id,
        body.encode(),
        delivery.attempts,
        delivery.tries,
    )


def record(session: Session, parcel: Parcel, answer: Answer) -> bool:
    """Write down how it went: delivered, another try later, or given up.

    False when the lease ended and somebody else took it: then it is theirs to finish; the try is in the log anyway.
    """
    _log(session, parcel, answer)
    if answer.is_good:
        mine = _finish(session, parcel, answer, state="delivered", delivered_at=clock.now())
    elif parcel.tries > len(WAITS):
        mine = _finish(session, parcel, answer, state="gave_up")
    else:
        mine = _finish(session, parcel, answer, due_at=clock.now() + WAITS[parcel.tries - 1])
    _judge(session, parcel, answer)
    return mine


def send_again(session: Session, customer_id: str, delivery_id: str, *, actor: str) -> WebhookDelivery:
    """Send it once more, now, with all its tries before it. Raises NotFound, Conflict while its endpoint is off."""
    delivery = session.get(WebhookDelivery, (customer_id, delivery_id), with_for_update=True, populate_existing=True)
    if delivery is None:
        raise NotFound("There is no such delivery.")
    endpoint = session.get_one(WebhookEndpoint, delivery.endpoint_id)
    if endpoint.state != "on":
        raise Conflict("Its endpoint is switched off. Switch it on first.", endpoint=endpoint.id)
    delivery.state, delivery.tries, delivery.due_at, delivery.delivered_at = "pending", 0, clock.now(), None
    session.flush()
    told = {"event": delivery.event_id, "endpoint": endpoint.id}
    activity.record(session, actor, "outgoing.sent_again", delivery.id, customer_id=customer_id, **told)
    return delivery


def _log(session: Session, parcel: Parcel, answer: Answer) -> None:
    session.add(
        WebhookAttempt(
            customer_id=parcel.customer_id,
            delivery_id=parcel.id,
            number=parcel.attempt,
            at=clock.now(),
            status=answer.status,
            error=answer.error[:_LONGEST_ERROR] if answer.error else None,
            milliseconds=answer.milliseconds,
        )
    )


def _finish(session: Session, parcel: Parcel, answer: Answer, **values: Any) -> bool:
    mine = update(WebhookDelivery).where(
        WebhookDelivery.customer_id == parcel.customer_id,
        WebhookDelivery.id == parcel.id,
        WebhookDelivery.state == "pending",
        WebhookDelivery.attempts == parcel.attempt,
    )
    said = {"last_status": answer.status, "last_error": answer.error[:_LONGEST_ERROR] if answer.error else None}
    return session.scalar(mine.values(**said, **values).returning(WebhookDelivery.id)) is not None


def _judge(session: Session, parcel: Parcel, answer: Answer) -> None:
    """What the try says about the endpoint: well again, failing since now, failing for too long, or gone."""
    if answer.status == 410:
        _switch_off(session, parcel, endpoints.GONE)
        return
    this = update(WebhookEndpoint).where(WebhookEndpoint.id == parcel.endpoint_id)
    if answer.is_good:
        session.execute(this.where(WebhookEndpoint.failing_since.is_not(None)).values(failing_since=None))
        return
    session.execute(this.where(WebhookEndpoint.failing_since.is_(None)).values(failing_since=clock.now()))
    since = session.scalar(select(WebhookEndpoint.failing_since).where(WebhookEndpoint.id == parcel.endpoint_id))
    if parcel.tries > len(WAITS) and since is not None and clock.now() - since >= PATIENCE:
        _switch_off(session, parcel, endpoints.FAILING)


def _switch_off(session: Session, parcel: Parcel, why: str) -> None:
    with suppress(NotFound):  # it was removed meanwhile
        endpoints.switch_off(session, parcel.endpoint_id, why=why, actor="system")
