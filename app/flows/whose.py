"""Whose a webhook event is, and which order it is about: kept with the event, so that staff find it from either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.payments import customers, inbox, orders
from app.payments.models import Order, Payment
from app.providers.events import Event, InvoiceChanged, SubscriptionChanged
from app.subscriptions import lifecycle


@dataclass(frozen=True, slots=True)
class Whose:
    """Our customer and order; None for what could not be told."""

    customer_id: str | None
    order_id: str | None = None


def note(session: Session, claim: inbox.Claim, told: Sequence[Event], effects: Sequence[dict[str, Any]] = ()) -> None:
    """Write down whose the event is, if that can be told: what it did says so, else what it names."""
    did = next((effect for effect in effects if effect.get("customer")), None)
    found = Whose(did["customer"], did.get("order")) if did else _of(session, claim, told)
    if found.customer_id is not None:
        inbox.belongs(session, claim.id, customer_id=found.customer_id, order_id=found.order_id)


def _of(session: Session, claim: inbox.Claim, told: Sequence[Event]) -> Whose:
    order = _order(session, claim, told)
    if order is not None:
        return Whose(order.customer_id, order.id)
    for event in told:
        paid = _payment(session, claim.provider, getattr(event, "payment_id", None))
        if paid is not None:
            return paid
        owner = _owner(session, claim.provider, event)
        if owner is not None:
            return Whose(owner)
    return Whose(None)


def _order(session: Session, claim: inbox.Claim, told: Sequence[Event]) -> Order | None:
    """By the name it carries of ours; of an event that could not even be read, by the page it is about."""
    for event in told:
        named = getattr(event, "order_id", None)
        found = orders.find(session, named) if named else None
        if found is not None:
            return found
    if claim.object_id is None:
        return None
    about = or_(Order.provider_ref == claim.object_id, Order.payment_id == claim.object_id)
    mine = select(Order).where(about, Order.channel == claim.provider, Order.kind != "subscription")
    return session.scalars(mine.limit(1)).first()


def _payment(session: Session, channel: str, payment_id: str | None) -> Whose | None:
    found = session.get(Payment, (channel, payment_id)) if payment_id else None
    return Whose(found.customer_id, found.order_id) if found else None


def _owner(session: Session, channel: str, event: Event) -> str | None:
    """By the provider's name for the customer, or for the subscription."""
    named = getattr(event, "customer_id", None)
    if isinstance(event, InvoiceChanged) and event.invoice is not None:
        named = event.invoice.customer_id
    if isinstance(event, SubscriptionChanged):
        known = lifecycle.by_provider_id(session, channel, event.subscription_id)
        if known is not None:
            return known.customer_id
        named = event.state.customer_id if event.state is not None else None
    return customers.customer_behind(session, channel, named) if named else None
