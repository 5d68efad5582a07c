"""Looking again at subscriptions about which something is overdue: news that was lost, changes that broke off (V4, R4).

For the worker's sweep. Each look reads whole snapshots, like news does, so it does no harm where nothing was lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app import clock
from app.customers.models import Customer
from app.db import transaction
from app.errors import Refusal
from app.flows import at_provider, cancel_by_card, change_at_renewal, change_by_card, follow, payer, purchase, subscribe
from app.flows.at_provider import Running
from app.flows.news import NotYet, Seen
from app.invoices.models import Invoice
from app.payments import customers, orders
from app.payments.models import Order
from app.providers import port
from app.providers.billing import InvoiceDoc
from app.providers.errors import NotFound, ProviderError
from app.providers.port import Provider
from app.subscriptions import changes, lifecycle
from app.subscriptions.dunning import GRACE_DAYS
from app.subscriptions.models import Subscription, SubscriptionChange

log = logging.getLogger(__name__)

Providers = Mapping[str, Provider]
_NEWS_TAKES = timedelta(minutes=10)  # after a period's end, or a change's last step, before we ask ourselves
_AGAIN = timedelta(hours=1)
_DAILY = timedelta(days=1)
_STILL_WANTED = timedelta(hours=1)  # a purchase that broke off is finished this long; later nobody waits for it
_PAGE = 20  # invoices to look through for lost ones


def catch_up(session: Session, providers: Providers, limit: int, *, grace_days: int = GRACE_DAYS) -> int:
    """Everything of this kind that is due; how much was touched. A provider's trouble waits for the next time."""
    with transaction(session):
        done = changes.expire_previews(session, limit)
        done += _restrict(session, limit)
    done += _each(session, providers, limit, _broken_off, _go_on)
    done += _each(session, providers, limit, change_at_renewal.due, change_at_renewal.go_on)
    done += _each(session, providers, limit, _stale, partial(look_again, grace_days=grace_days))
    return done


def _each(
    session: Session,
    providers: Providers,
    limit: int,
    choose: Callable[[Session, int], Sequence[tuple[str, str]]],
    go_on: Callable[[Session, Providers, tuple[str, str]], None],
) -> int:
    with transaction(session):
        chosen = choose(session, limit)
    for name in chosen:
        try:
            go_on(session, providers, name)
        except (ProviderError, Refusal, NotYet) as trouble:
            log.warning("%s of %s is looked at again later: %s", name[1], name[0], trouble)
    return len(chosen)


def _restrict(session: Session, limit: int) -> int:
    """Grace periods of card-paid subscriptions that are over."""
    late = (
        select(Subscription)
        .where(
            Subscription.grace_ends_at <= clock.now(), Subscription.status == "past_due", Subscription.paid_by == "card"
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(late))
    for subscription in found:
        lifecycle.restrict(session, subscription)
    return len(found)


# Changes that broke off.


def _broken_off(session: Session, limit: int) -> list[tuple[str, str]]:
    """Changes in flight whose last step is long ago. They are put off first, so that nobody else takes them too."""
    now = clock.now()
    due = (
        select(SubscriptionChange)
        .where(SubscriptionChange.state == "in_flight", SubscriptionChange.expires_at <= now)
        .order_by(SubscriptionChange.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(due))
    for change in found:
        change.expires_at = now + _NEWS_TAKES
    return [(change.customer_id, change.id) for change in found]


def _go_on(session: Session, providers: Providers, name: tuple[str, str]) -> None:
    with transaction(session):
        change = session.get_one(SubscriptionChange, name)
        subscription = session.get_one(Subscription, (change.customer_id, change.subscription_id))
        if subscription.paid_by != "card" or change.state != "in_flight":
            return
        actor, kind, waits_for_them = change.created_by, change.kind, change.action_url is not None
        run = at_provider.running(providers, subscription)
        cancels = cancel_by_card.asked_of(session, providers, change) if kind == "cancel_now" else None
        known = kind in ("upgrade", "downgrade") and not waits_for_them
        asked = change_by_card.asked_of(session, providers, subscription, change) if known else None
    if cancels is not None:
        cancel_by_card.carry_out(session, cancels, actor=actor)
    elif asked is not None:
        change_by_card.carry_out(session, asked, actor=actor)
    else:
        _take_in(session, run, follow.look_at(session, run.provider, run.provider_id))


# Subscriptions about which nothing was heard.


def _stale(session: Session, limit: int) -> list[tuple[str, str]]:
    """Card-paid ones that should have been renewed by now, and once a day all of them."""
    now, seen = clock.now(), Subscription.provider_version
    overdue = and_(Subscription.period_end <= now - _NEWS_TAKES, seen <= now - _AGAIN)
    found = (
        select(Subscription.customer_id, Subscription.id)
        .where(
            Subscription.paid_by == "card",
            Subscription.ended_at.is_(None),
            or_(seen.is_(None), overdue, seen <= now - _DAILY),
        )
        .order_by(seen)
        .limit(limit)
    )
    return [(row.customer_id, row.id) for row in session.execute(found)]


def look_again(session: Session, providers: Providers, name: tuple[str, str], *, grace_days: int) -> None:
    """Take in a subscription whole, with the invoices whose news was lost. Raises ProviderError, NotYet."""
    with transaction(session):
        run = at_provider.running(providers, session.get_one(Subscription, name))
    seen = follow.look_at(session, run.provider, run.provider_id)
    if seen.state is None:  # not there any more: nothing will ever be told about it
        _put_off(session, name)
        return
    _take_in(session, run, Seen(seen.at, seen.state, _lost_invoices(session, run, seen)), grace_days)


def _lost_invoices(session: Session, run: Running, seen: Seen) -> tuple[InvoiceDoc, ...]:
    """What was read already, and the recent ones whose news never came."""
    role = port.invoices_of(run.provider)
    with transaction(session):
        ref = customers.known_as(session, run.customer_id, run.provider.name)
    if ref is None:
        return seen.invoices
    listed, _ = role.list_invoices(ref, cursor=None, limit=_PAGE, subscription_id=run.provider_id)
    with transaction(session):
        here = select(Invoice.provider_id, Invoice.status).where(
            Invoice.customer_id == run.customer_id, Invoice.provider_id.in_([doc.id for doc in listed])
        )
        known = {row.provider_id: row.status for row in session.execute(here)}
    lost = [doc.id for doc in listed if doc.status != "draft" and known.get(doc.id) not in (doc.status, "refunded")]
    return tuple(role.get_invoice(name) for name in reversed(lost))


def _take_in(session: Session, run: Running, seen: Seen, grace_days: int = GRACE_DAYS) -> None:
    with transaction(session):
        follow.take_in(session, run.provider.name, seen, grace_days=grace_days)


def _put_off(session: Session, name: tuple[str, str]) -> None:
    """The provider has no such thing any more: test data was removed there, for example. Staff see it stand still."""
    with transaction(session):
        session.get_one(Subscription, name, with_for_update=True).provider_version = clock.now()
    log.warning("subscription %s of %s is not known to its provider", name[1], name[0])


# Purchases by card that broke off: they have no page to ask about.


def finish_purchase(session: Session, provider: Provider, order_id: str) -> bool:
    """Go on with a purchase by card, or find out what became of it. False for one that has a page to ask about.

    Raises ProviderError and ProviderDown.
    """
    with transaction(session):
        order = orders.find(session, order_id)
        if order is None or order.is_final or order.request.get("by") != purchase.CARD:
            return False
        customer = session.get_one(Customer, order.customer_id)
        wanted = order.state == "pending" and clock.now() - order.created_at < _STILL_WANTED
        asked = purchase.asked_of(session, order) if wanted else None
    if asked is not None:
        subscribe.charge(session, provider, customer, asked)
        return True
    found = _subscription_of(session, provider, order)
    if found is None:
        with transaction(session):  # nothing was made under its name, and nobody waits for it any more
            given_up = orders.find(session, order_id, lock=True)
            assert given_up is not None, "orders are never deleted"
            follow.give_up(session, given_up, "The payment provider did not answer. Nothing was charged.")
        return True
    seen = follow.look_at(session, provider, found)
    with transaction(session):
        follow.take_in(session, provider.name, seen)
    return True


def _subscription_of(session: Session, provider: Provider, order: Order) -> str | None:
    """What the provider made of this order, by the name it bears there."""
    order_id, customer_id = order.id, order.customer_id
    ref = payer.if_known(session, provider, customer_id)
    if ref is None:
        return None
    try:
        known = port.subscriptions_of(provider).list_subscriptions(ref)
    except NotFound:
        return None
    return next((state.id for state in known if state.metadata.get(follow.REFERENCE) == order_id), None)
