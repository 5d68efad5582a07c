"""Topping up a wallet: the order first, then the provider's page, then its address (SPEC W2, R4). Credit comes later.

Three short transactions with the network between them. A crash at any point leaves an order that the next call with
the same form key takes up where it was: the provider gets the same key and the same content again.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy.orm import Session

from app import coupons
from app.db import transaction
from app.errors import Conflict, ProviderDown, UnsupportedByChannel
from app.flows import pay_page, sold_by
from app.flows.payer import Payer
from app.flows.sold_by import NotSoldHere
from app.money import Money
from app.payments import customers, orders
from app.payments.models import Order
from app.providers.errors import InvalidRequest, NotFound, ProviderError
from app.providers.port import Provider
from app.providers.values import Cap

log = logging.getLogger(__name__)

_DOWN = "The payment page could not be opened just now. Nothing was charged; please try again."
ORDER_IN_URL = "{order}"  # stands in a return URL for the id the order is about to get


def start(
    session: Session,
    provider: Provider,
    customer: Payer,
    amount_minor: int,
    *,
    form_key: str,
    return_url: str,
    actor: str,
    currency: str = "usd",
    cancel_url: str | None = None,
    coupon: str | None = None,
) -> Order:
    """An order whose `checkout_url` is the page to pay it on; the same `form_key` gives the same order and page.

    `return_url` (and `cancel_url`, which defaults to it) may hold `{order}` for the order's id. `amount_minor` is in
    minor units; what a `coupon` is worth comes on top of it once it is paid. Raises AmountOutOfRange, CouponRefused,
    IdempotencyKeyReused, UnsupportedByChannel, and ProviderDown, after which the same call may simply be made again.
    """
    if Cap.CUSTOM_AMOUNT not in provider.capabilities:
        raise UnsupportedByChannel(f"{provider.name} cannot take an amount of your choice.", channel=provider.name)
    with transaction(session):
        order = orders.open_order(
            session,
            customer_id=customer.id,
            amount_minor=amount_minor,
            currency=currency,
            channel=provider.name,
            form_key=form_key,
            created_by=actor,
        )
        if order.state != "pending":
            return order
        _reserve(session, order, coupon)
        if order.channel != provider.name:
            raise Conflict("This payment was begun with another provider. Open the page again.", channel=order.channel)
        told = orders.freeze(session, order, _request(order, customer, return_url, cancel_url))
        asked = pay_page.Asked.of(order, told, kind="topup", title="Wallet top-up", name=told["name"])
    try:
        page = pay_page.opened(session, provider, asked)
    except ProviderError as error:
        raise _refusal(session, provider, order, error) from error
    with transaction(session):
        orders.sent(session, order, page)
        sold_by.settled(session, provider, sold_by.TOP_UP)
    return order


def _reserve(session: Session, order: Order, coupon: str | None) -> None:
    if coupon:
        price = Money(order.amount_minor, order.currency)
        coupons.reserve(session, coupon, customer_id=order.customer_id, what="topup", price=price, key=order.id)


def _request(order: Order, customer: Payer, return_url: str, cancel_url: str | None) -> dict[str, Any]:
    """What the provider will be asked, as it is kept: everything that could be different at a second try."""
    return {
        "email": customer.email,
        "name": customer.name,
        "success_url": return_url.replace(ORDER_IN_URL, order.id),
        "cancel_url": (cancel_url or return_url).replace(ORDER_IN_URL, order.id),
    }


def _refusal(session: Session, provider: Provider, order: Order, error: ProviderError) -> ProviderDown | NotSoldHere:
    """What the customer is told. The vendor's words are for the log, and for staff where they can do something."""
    with transaction(session):
        order_id, customer_id = order.id, order.customer_id
    log.warning("%s opened no page for order %s: %s (%s)", provider.name, order_id, error, error.request_id)
    if isinstance(error, InvalidRequest) or error.code == "idempotency_error":
        _give_up_attempt(session, order, error)
    no = sold_by.refuse(session, provider, error, sold_by.TOP_UP, customer_id=customer_id, order_id=order_id)
    return no or ProviderDown(_DOWN, channel=provider.name)


def _give_up_attempt(session: Session, order: Order, error: ProviderError) -> None:
    """A definite no: nothing was made under this key, and nothing would be. The next try uses another."""
    with transaction(session):
        orders.refused(session, order)
        if isinstance(error, NotFound):  # all we named was the customer
            customers.forget(session, order.customer_id, order.channel)
