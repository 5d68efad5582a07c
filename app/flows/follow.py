"""Following what a provider runs by itself: subscriptions and their invoices, read whole and taken in (SPEC R3, V2).

`look` asks the provider, outside of any transaction; `take_in` writes down what was seen, within one. What an event
says is never believed: it only tells what to look at. So news that is twice, late, lost or out of order ends the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, clock, coupons
from app.db import transaction
from app.flows import mirrored
from app.flows.news import Effects, NotYet, Seen
from app.flows.purchase import PRICED_AS
from app.invoices import Invoice
from app.money import Money
from app.payments import customers, orders
from app.payments.models import Order
from app.providers import port
from app.providers.billing import InvoiceDoc, SubscriptionState
from app.providers.errors import NotFound
from app.providers.events import CheckoutCompleted, Event, InvoiceChanged, SubscriptionChanged
from app.providers.port import Provider
from app.providers.values import Cap, CustomerRef
from app.subscriptions import lifecycle, prices, snapshots
from app.subscriptions.dunning import GRACE_DAYS
from app.subscriptions.models import Subscription
from app.subscriptions.periods import Interval
from app.subscriptions.prices import Bought

REFERENCE = "intent_id"  # our order's id, in the metadata of what was bought
OURS = "subscription_id"  # our subscription's id, there, where the provider takes one over from the wallet
_MOST_INVOICES = 100
_SETTLED = ("paid", "void", "uncollectible", "refunded")


def look(session: Session, provider: Provider, event: Event, *, due_at: datetime) -> Seen:
    """What the provider says now about what the event names. Raises ProviderError.

    What was read after `due_at`, when the event's turn had come, is not read again: of ten events about one change the
    first does the work.
    """
    at = clock.now()
    if isinstance(event, InvoiceChanged) and event.hint != "upcoming":
        return _with_what_only_news_says(_look_at_invoice(session, provider, event.invoice_id, at, due_at), event)
    if isinstance(event, SubscriptionChanged):
        named: str | None = event.subscription_id
    else:
        named = event.session.subscription_id if isinstance(event, CheckoutCompleted) else None
    if named is None or (isinstance(event, SubscriptionChanged) and _is_fresh(session, provider.name, named, due_at)):
        return Seen(at)
    return _with_what_only_news_says(look_at(session, provider, named), event)


def _with_what_only_news_says(seen: Seen, event: Event) -> Seen:
    """Whose it is and what it was bought as: some providers tell that with their news alone, and not when asked."""
    told: SubscriptionState | InvoiceDoc | None = None
    if isinstance(event, SubscriptionChanged):
        told = event.state
    elif isinstance(event, InvoiceChanged):
        told = event.invoice
    if seen.state is None or seen.state.metadata or told is None or not told.metadata:
        return seen
    return replace(seen, state=replace(seen.state, customer_id=told.customer_id, metadata=told.metadata))


def look_at(session: Session, provider: Provider, provider_id: str) -> Seen:
    """The subscription, and its latest invoice unless that is settled here. Raises ProviderError; no NotFound."""
    at = clock.now()
    try:
        state = port.subscriptions_of(provider).get_subscription(provider_id)
    except NotFound:
        return Seen(at)  # of another installation, or removed with its test data
    if state.status == "canceled" and not _is_known(session, provider.name, state.id):
        return Seen(at, state, _every_invoice(provider, state))
    latest = state.latest_invoice_id
    if latest is None or _is_settled(session, provider.name, latest):
        return Seen(at, state)
    return Seen(at, state, _invoice(provider, latest))


def _look_at_invoice(session: Session, provider: Provider, invoice_id: str, at: datetime, due_at: datetime) -> Seen:
    with transaction(session):
        known = _mirror_of(session, provider.name, invoice_id)
        seen = known.provider_version if known is not None else None
    if seen is not None and seen > due_at:
        return Seen(at)
    found = _invoice(provider, invoice_id)
    named = found[0].subscription_id if found else None
    if named is None or _is_fresh(session, provider.name, named, due_at):
        return Seen(at, None, found)
    try:
        return Seen(at, port.subscriptions_of(provider).get_subscription(named), found)
    except NotFound:
        return Seen(at, None, found)


def _invoice(provider: Provider, invoice_id: str) -> tuple[InvoiceDoc, ...]:
    if Cap.INVOICES not in provider.capabilities:
        return ()
    try:
        return (port.invoices_of(provider).get_invoice(invoice_id),)
    except NotFound:
        return ()


def _every_invoice(provider: Provider, state: SubscriptionState) -> tuple[InvoiceDoc, ...]:
    """Of one that is over before it was heard of: all that was paid for it, the oldest first."""
    if Cap.INVOICES not in provider.capabilities:
        return ()
    role, whose = port.invoices_of(provider), CustomerRef(state.customer_id, state.customer_id)
    try:
        listed, _ = role.list_invoices(whose, cursor=None, limit=_MOST_INVOICES, subscription_id=state.id)
        return tuple(role.get_invoice(doc.id) for doc in reversed(listed) if doc.status != "draft")
    except NotFound:
        return ()


def _is_known(session: Session, channel: str, provider_id: str) -> bool:
    with transaction(session):
        return lifecycle.by_provider_id(session, channel, provider_id) is not None


def _is_fresh(session: Session, channel: str, provider_id: str, due_at: datetime) -> bool:
    with transaction(session):
        known = lifecycle.by_provider_id(session, channel, provider_id)
        return known is not None and known.provider_version is not None and known.provider_version > due_at


def _is_settled(session: Session, channel: str, invoice_id: str) -> bool:
    with transaction(session):
        known = _mirror_of(session, channel, invoice_id)
        return known is not None and known.status in _SETTLED


def _mirror_of(session: Session, channel: str, invoice_id: str) -> Invoice | None:
    mine = select(Invoice).where(Invoice.source == channel, Invoice.provider_id == invoice_id)
    return session.scalars(mine.limit(1)).one_or_none()


# Writing down what was seen, in one transaction.


def take_in(
    session: Session, channel: str, seen: Seen, *, grace_days: int = GRACE_DAYS, actor: str | None = None
) -> Effects:
    """Store the snapshots. Raises NotYet for a subscription whose customer or plan is not known here (yet)."""
    effects: Effects = []
    subscription = None
    if seen.state is not None:
        subscription = _subscription(session, channel, seen, effects, grace_days=grace_days, actor=actor)
    for doc in seen.invoices:
        effects += _document(session, channel, doc, seen, subscription)
    return effects


def lock(session: Session, channel: str, seen: Seen) -> Subscription | None:
    """Lock what `take_in` will change, in the order in which everybody does: the order, then the subscription."""
    if seen.state is None:
        return None
    _order_of(session, seen.state)
    return lifecycle.by_provider_id(session, channel, seen.state.id, lock=True)


def _document(
    session: Session, channel: str, doc: InvoiceDoc, seen: Seen, subscription: Subscription | None
) -> Effects:
    if doc.subscription_id is not None:
        if subscription is None:
            subscription = lifecycle.by_provider_id(session, channel, doc.subscription_id, lock=True)
        if subscription is None:
            return []  # of a purchase that is not paid: once it is, its latest invoice is read with it
    customer_id = (
        subscription.customer_id if subscription else customers.customer_behind(session, channel, doc.customer_id)
    )
    if customer_id is None:
        raise NotYet(f"The customer {doc.customer_id} is not known here.")
    return mirrored.take_in(session, channel, doc, customer_id=customer_id, subscription=subscription, at=seen.at)


def _subscription(
    session: Session, channel: str, seen: Seen, effects: Effects, *, grace_days: int, actor: str | None
) -> Subscription | None:
    state = seen.state
    assert state is not None, "it was looked at"
    # Locked in this order everywhere: the order, the subscription.
    order = _order_of(session, state)
    known = lifecycle.by_provider_id(session, channel, state.id, lock=True) or _to_be_taken_over(
        session, channel, state
    )
    if known is None and _is_given_back(order):
        return None
    is_over = known is None and _is_over(seen, order)
    if known is None and not snapshots.has_begun(state) and not is_over:
        if state.status == "canceled" and order is not None:
            effects += give_up(session, order, "The payment was not made. Nothing was charged.")
        return None
    if known is None:
        known = _begin(session, channel, state, order, actor=actor or channel)
        effects.append({"kind": "subscription.started", "subscription": known.id, "customer": known.customer_id})
    if snapshots.take_snapshot(session, known, state, grace_days=grace_days, actor=actor):
        effects.append({"kind": "subscription.seen", "subscription": known.id, "status": known.status})
    if order is not None and (snapshots.has_begun(state) or is_over):
        effects += _fulfil(session, order, known, state)
    return known


def _is_given_back(order: Order | None) -> bool:
    """Whether it is a second one that was given back. Where it lasts to the period's end it is nothing here."""
    return order is not None and order.state == "failed" and "give_back" in order.request


def _is_over(seen: Seen, order: Order | None) -> bool:
    """Whether it was bought here, was paid for, and had ended before anything was heard of it."""
    state = seen.state
    if state is None or state.status != "canceled" or state.period_start is None or state.period_end is None:
        return False
    paid = any(doc.subscription_id == state.id and doc.status in ("paid", "refunded") for doc in seen.invoices)
    return paid and order is not None and order.payment_id is None


def _to_be_taken_over(session: Session, channel: str, state: SubscriptionState) -> Subscription | None:
    """A wallet-paid subscription that this one goes on with: its name is on it, though we may not know this one's."""
    ours = state.metadata.get(OURS)
    customer_id = customers.customer_behind(session, channel, state.customer_id)
    found = lifecycle.live(session, customer_id, lock=True) if ours and customer_id else None
    if found is None or found.id != ours or found.paid_by != "wallet" or found.pays_next_by != "card":
        return None
    if state.status == "canceled" or found.provider_id not in (None, state.id):
        return None  # one that another has replaced since
    found.channel, found.provider_id = channel, state.id
    return found


def _begin(
    session: Session, channel: str, state: SubscriptionState, order: Order | None, *, actor: str
) -> Subscription:
    customer_id = customers.customer_behind(session, channel, state.customer_id)
    if customer_id is None or (order is not None and order.customer_id != customer_id):
        raise NotYet(f"The subscription {state.id} belongs to no customer known here.")
    bought = _ordered(order, state) or prices.behind(session, channel, state.provider_price_id, state.plan)
    if bought is None:
        raise NotYet(f"The subscription {state.id} has a price that no plan here names.")
    try:
        return snapshots.begin_from(session, channel, customer_id, state, bought, actor=actor)
    except lifecycle.AlreadySubscribed as second:
        raise NotYet(f"The customer of {state.id} has another subscription.") from second


def _ordered(order: Order | None, state: SubscriptionState) -> Bought | None:
    """What the purchase was for, where its page was opened for the price that was bought there."""
    asked = order.request if order is not None else {}
    if order is None or asked.get(PRICED_AS) != state.provider_price_id:
        return None
    price = Money(asked["price_minor"], order.currency)
    return Bought(asked["plan_id"], asked["version"], Interval(asked["interval"]), price)


def _order_of(session: Session, state: SubscriptionState) -> Order | None:
    """The purchase it came from, locked."""
    named = state.metadata.get(REFERENCE)
    order = orders.find(session, named, lock=True) if named else None
    return order if order is not None and order.kind == "subscription" else None


def _fulfil(session: Session, order: Order, subscription: Subscription, state: SubscriptionState) -> Effects:
    """The purchase is done: the order is paid, its coupon used."""
    if order.payment_id is not None or order.customer_id != subscription.customer_id:
        return []
    orders.pay(session, order, state.id, at=state.started_at)
    months = Interval(subscription.interval).months
    coupons.redeem(session, order.customer_id, order.id, subscription_id=subscription.id, months=months)
    told = {"subscription": subscription.id, "provider_subscription": state.id}
    activity.record(session, order.channel, "order.paid", order.id, customer_id=order.customer_id, **told)
    return [{"kind": "order.paid", "order": order.id, "customer": order.customer_id, **told}]


def give_up(session: Session, order: Order, why: str, *, state: str = "failed", actor: str | None = None) -> Effects:
    """The purchase came to nothing: its coupon is free again, and the person is told why."""
    if not orders.move(session, order, state, failure=why):
        return []
    coupons.release(session, order.customer_id, order.id)
    activity.record(
        session, actor or order.channel, f"order.{state}", order.id, customer_id=order.customer_id, reason=why
    )
    return [{"kind": f"order.{state}", "order": order.id, "customer": order.customer_id}]
