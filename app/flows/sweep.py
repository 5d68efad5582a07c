"""What nobody tells us: holds and coupons that ran out, orders and subscriptions whose news never came (V4, W7)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, coupons, ledger
from app.db import transaction
from app.errors import Refusal
from app.flows import catch_up, follow
from app.flows.purchase import KIND
from app.payments import bell, inbox, orders
from app.payments.models import Order
from app.providers import port
from app.providers.errors import NotFound, ProviderError
from app.providers.port import Provider
from app.providers.values import Cap, Heard
from app.subscriptions.dunning import GRACE_DAYS

log = logging.getLogger(__name__)

ABANDONED_AFTER = timedelta(hours=25)  # an order the provider never answered for; its longest page lives 24 hours
_GRACE = timedelta(minutes=5)  # after a page's end, before we close it ourselves


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order to ask about, as it was when it was chosen."""

    id: str
    kind: str
    channel: str
    page: str | None
    created_at: datetime
    expires_at: datetime | None


def sweep(
    session_factory: Callable[[], Session],
    providers: Mapping[str, Provider],
    limit: int = 20,
    *,
    grace_days: int = GRACE_DAYS,
) -> int:
    """Expire holds, free coupons, look after waiting orders and subscriptions; how many were touched.

    A provider's trouble waits for next time.
    """
    with session_factory() as session:
        ended = expire_holds(session, limit) + release_coupons(session, limit)
        asked = look_after_orders(session, providers, limit)
        return ended + asked + catch_up.catch_up(session, providers, limit, grace_days=grace_days)


def expire_holds(session: Session, limit: int) -> int:
    """Give back the money of holds that nobody settled in time."""
    with transaction(session):
        return ledger.expire_holds(session, clock.now(), limit)


def release_coupons(session: Session, limit: int) -> int:
    """Free the coupons that were reserved for purchases nobody finished (SPEC P15)."""
    with transaction(session):
        return coupons.release_expired(session, clock.now(), limit)


def look_after_orders(session: Session, providers: Mapping[str, Provider], limit: int) -> int:
    """Ask the providers about orders whose webhook is overdue, each time after a longer wait."""
    with transaction(session):
        waiting = _choose(session, limit)
    for order in waiting:
        try:
            _look_after(session, providers.get(order.channel), order)
        except (ProviderError, Refusal) as error:
            log.warning("order %s could not be looked up: %s", order.id, error)
    return len(waiting)


def _choose(session: Session, limit: int) -> list[Waiting]:
    due = (
        select(Order)
        .where(Order.next_poll_at <= clock.now())
        .order_by(Order.next_poll_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    chosen = list(session.scalars(due))
    for order in chosen:
        orders.poll_later(session, order)  # moved on first: a second worker, or a crash, does not ask again at once
    return [Waiting(o.id, o.kind, o.channel, o.provider_ref, o.created_at, o.expires_at) for o in chosen]


def _look_after(session: Session, provider: Provider | None, order: Waiting) -> None:
    if order.page is None or provider is None:
        if provider is not None and order.kind == KIND and catch_up.finish_purchase(session, provider, order.id):
            return
        if clock.now() - order.created_at > ABANDONED_AFTER:
            _expire(session, order)
        return
    try:
        heard = provider.recheck_checkout(order.page)
    except NotFound:
        _expire(session, order)
        return
    if heard is not None:
        _keep(session, order, heard)
    elif order.expires_at and clock.now() > order.expires_at + _GRACE and Cap.EXPIRE_CHECKOUT in provider.capabilities:
        port.expiring_of(provider).expire_checkout(order.page)  # the next look finds it expired


def _keep(session: Session, order: Waiting, heard: Heard) -> None:
    """Through the same inbox as a webhook, so that there is one way for money to arrive."""
    with transaction(session):
        inbox.keep(session, provider=order.channel, verified=heard.verified, body=heard.body, headers={})
    bell.ring()


def _expire(session: Session, order: Waiting) -> None:
    with transaction(session):
        found = orders.find(session, order.id, lock=True)
        if found is not None:
            follow.give_up(session, found, "Nobody paid in time.", state="expired", actor="system")
