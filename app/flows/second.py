"""A second subscription of one customer, paid on another page at the same moment: it is ended, its payment given back.

Nobody can have two, and nobody who paid for one by accident shall have to ask. Each step is kept with the order, so it
is taken up where it broke off.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import activity, clock
from app.db import transaction
from app.flows import follow, mirrored
from app.flows.kept_unused import as_kept, from_kept
from app.flows.news import Seen
from app.payments import customers, orders
from app.payments.models import Order
from app.providers import port
from app.providers.billing import SubscriptionState, UnusedValue
from app.providers.port import Provider
from app.providers.values import Cap, CustomerRef
from app.subscriptions import lifecycle, snapshots

_TOLD = "You had a subscription already, so this one was ended and your payment was given back."


@dataclass(frozen=True, slots=True)
class Second:
    """The purchase of too much, in plain values."""

    order_id: str
    customer: CustomerRef
    kept: UnusedValue | None


def give_back(session: Session, provider: Provider, seen: Seen) -> Seen:
    """What is left to take in: all of it, unless this is a second one. Network, so never within a transaction.

    Raises ProviderError; doing it again does no harm.
    """
    state = seen.state
    if state is None:
        return seen
    with transaction(session):
        second = _second(session, provider.name, state)
    if second is None:
        return seen
    role, order_id = port.subscriptions_of(provider), second.order_id
    unused = second.kept or role.unused_value(state, at=state.period_start or state.started_at)
    if second.kept is None:
        with transaction(session):
            order = _order(session, order_id)
            order.request = {**order.request, "give_back": as_kept(unused)}
    if Cap.CANCEL_NOW in provider.capabilities:
        role.cancel_now(state, key=f"{order_id}:second")
    else:  # it ends with its period, is never renewed, and is nothing here meanwhile
        role.cancel_at_period_end(state, reason=None, comment=None, key=f"{order_id}:second")
    if unused.parts:
        role.refund_unused(second.customer, unused, our_refund_id=order_id, key=f"{order_id}:back")
    at, names = clock.now(), dict.fromkeys(part.invoice_id for part in unused.parts)
    documents = [port.invoices_of(provider).get_invoice(name) for name in names]
    with transaction(session):
        order = _order(session, order_id)
        if follow.give_up(session, order, _TOLD):
            told = {"provider_subscription": state.id, "returned_minor": unused.to_card}
            activity.record(
                session, "system", "subscription.second_ended", order.id, customer_id=order.customer_id, **told
            )
        for doc in documents:
            mirrored.take_in(session, provider.name, doc, customer_id=order.customer_id, subscription=None, at=at)
    return Seen(at)


def _second(session: Session, channel: str, state: SubscriptionState) -> Second | None:
    """The order of a subscription that is not here and cannot be, because another one is."""
    named = state.metadata.get(follow.REFERENCE)
    order = orders.find(session, named) if named else None
    if order is None or order.kind != "subscription" or order.is_final:
        return None
    known = customers.known_as(session, order.customer_id, channel)
    if known is None or lifecycle.by_provider_id(session, channel, state.id) is not None:
        return None
    kept = from_kept(order.request.get("give_back"))
    is_second = snapshots.has_begun(state) and lifecycle.live(session, order.customer_id) is not None
    return Second(order.id, known, kept) if kept or is_second else None


def _order(session: Session, order_id: str) -> Order:
    found = orders.find(session, order_id, lock=True)
    assert found is not None, "orders are never deleted"
    return found
