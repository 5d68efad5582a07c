"""Purchases begun and left, closed when another begins: of two plans one is too many, a coupon is used once."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app import coupons
from app.db import transaction
from app.flows import follow
from app.flows.purchase import KIND
from app.payments import orders
from app.providers import port
from app.providers.errors import ProviderError
from app.providers.port import Provider
from app.providers.values import Cap

Providers = Mapping[str, Provider]
log = logging.getLogger(__name__)

_WHY = "Another purchase was begun."


def close(
    session: Session,
    provider: Provider,
    customer_id: str,
    *,
    but_form: str,
    kind: str = KIND,
    coupon: str | None = None,
    others: Providers | None = None,
) -> None:
    """Close pages and unconfirmed payments of earlier tries, all but those of this form; their coupons are free again.

    With a `coupon`, only the tries that hold it. `others` are the other channels there are: a page may have been left
    at one of them. What is paid or expired this very moment stays: the provider's news will tell. A page that its
    provider cannot close stays open, and its coupon is free: should it be paid after all, it is taken again if it can.
    """
    able = {**(others or {}), provider.name: provider}
    with transaction(session):
        found = [
            order
            for order in orders.open_of_kind(session, customer_id, kind)
            if order.form_key != but_form and coupon in (None, order.request.get("coupon"))
        ]
        pages = [
            (able[order.channel], order.id, order.provider_ref)
            for order in found
            if order.state == "open" and order.channel in able and order.provider_ref is not None
        ]
        begun = [
            (able[order.channel], name)
            for order in found
            if order.channel in able and (name := order.request.get("provider_subscription")) is not None
        ]
    for there, order_id, page in pages:
        try:
            _close_page(session, there, order_id, page)
        except ProviderError as trouble:
            log.info("an earlier page of %s stays open: %s", customer_id, trouble)
    for there, name in begun:
        try:
            _end_unconfirmed(there, name)
        except ProviderError as trouble:
            log.info("an earlier payment of %s stays open: %s", customer_id, trouble)


def _close_page(session: Session, provider: Provider, order_id: str, page: str) -> None:
    if Cap.EXPIRE_CHECKOUT not in provider.capabilities:
        with transaction(session):
            order = orders.find(session, order_id, lock=True)
            assert order is not None, "orders are never deleted"
            if order.state == "open":
                coupons.release(session, order.customer_id, order.id)
        return
    if port.expiring_of(provider).expire_checkout(page).status != "expired":
        return
    with transaction(session):
        order = orders.find(session, order_id, lock=True)
        assert order is not None, "orders are never deleted"
        follow.give_up(session, order, _WHY, state="expired")


def _end_unconfirmed(provider: Provider, name: str) -> None:
    role = port.subscriptions_of(provider)
    begun = role.get_subscription(name)
    if begun.status == "incomplete":  # else it is paid: its news gives it back, which nothing else would
        role.cancel_now(begun, key=f"close:{name}")
