"""Buying a pack of credits (SPEC C3): the order first, then the provider's page, then its address. Credits come later.

What is bought is frozen with the order, so a pack that is re-priced or retired while its page is open is still sold as
it was. Only the provider's verified event brings the credits, once per payment; save where a coupon takes off the whole
price, for then nobody has anything to tell.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app import activity, clock, coupons, credits
from app.catalogue import packs
from app.catalogue.packs import Shown
from app.catalogue.terms import PackTerms
from app.coupons import Discount
from app.db import transaction
from app.errors import Conflict, IdempotencyKeyReused, ProviderDown, UnsupportedByChannel
from app.flows import coupon_gone, earlier, pay_page, sold_by
from app.flows.news import Effects
from app.flows.payer import Payer
from app.flows.top_up import ORDER_IN_URL
from app.money import Money
from app.payments import customers, orders
from app.payments.models import Order
from app.providers.errors import InvalidRequest, NotFound, ProviderError
from app.providers.events import PaymentSucceeded
from app.providers.port import Provider
from app.providers.values import Cap
from app.wallet.card_sales import sold_by_card

log = logging.getLogger(__name__)

KIND = "pack"
_DOWN = "The payment page could not be opened just now. Nothing was charged; please try again."


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks to buy. The addresses may hold `{order}` for the order's id; `shown` is what they were shown,
    None for a program, which takes the pack as it is."""

    pack_key: str
    form_key: str
    actor: str
    success_url: str
    cancel_url: str
    coupon: str | None = None
    shown: Shown | None = None
    others: Mapping[str, Provider] | None = None  # the other channels: a page may have been left at one of them


def start(session: Session, provider: Provider, customer: Payer, wish: Wish) -> Order:
    """An order whose `checkout_url` is the page to pay it on; the same form gives the same order and page.

    Where a coupon takes off the whole price it is paid at once, and there is no page. Raises NotFound, PackNotForSale,
    PackChanged, CouponRefused, IdempotencyKeyReused, UnsupportedByChannel, and ProviderDown, after which the same call
    may simply be made again.
    """
    if not provider.capabilities & {Cap.CUSTOM_AMOUNT, Cap.NAMED_PRODUCTS}:
        raise UnsupportedByChannel(f"{provider.title} cannot sell credit packs.", channel=provider.name)
    if wish.coupon:  # an earlier page that was left holds the coupon's use
        code = coupons.spelled(wish.coupon)
        earlier.close(
            session, provider, customer.id, but_form=wish.form_key, kind=KIND, coupon=code, others=wish.others
        )
    with transaction(session):
        order = open_order(session, provider, customer, wish)
        if order.state != "pending":
            return order
        told, thing = order.request, sold_by.pack(order.request["pack"], order.request["name"])
        asked = pay_page.Asked.of(order, told, kind="credit_pack", title=_title(order), name=told["payer"])
    try:
        page = pay_page.opened(session, provider, asked)
    except ProviderError as error:
        down, who = _down(session, provider, order, error), {"customer_id": customer.id, "order_id": asked.order_id}
        raise sold_by.refuse(session, provider, error, thing, **who) or down from error
    with transaction(session):
        orders.sent(session, order, page)
        sold_by.settled(session, provider, thing)
    return order


def open_order(session: Session, provider: Provider, customer: Payer, wish: Wish) -> Order:
    """The order of this form, with its coupon reserved: made now, or the one made before. Raises as `start` does."""
    before = orders.of_form(session, customer.id, wish.form_key)
    if before is not None:
        _refuse_other(before, provider, wish)
        if before.state == "pending":
            _name_anew(session, provider, before)
            _reserve(session, before)
        return before
    pack = packs.for_sale(session, wish.pack_key, wish.shown)
    discount = _quoted(session, customer.id, pack, wish.coupon)
    price = Money(pack.price_minor, pack.currency)
    due = discount.after if discount else price
    order = orders.open_order(
        session,
        customer_id=customer.id,
        kind=KIND,
        amount_minor=due.minor or price.minor,  # a table's rule: what is left to pay is in the request
        currency=price.currency,
        channel=provider.name,
        form_key=wish.form_key,
        created_by=wish.actor,
    )
    orders.freeze(
        session, order, _frozen(order, customer, pack, discount, wish, sold_by.product_of(provider, pack.provider_ids))
    )
    _refuse_other(order, provider, wish)  # the same form may have come twice at once
    _reserve(session, order)
    if not order.due_minor and order.state == "pending":
        _give(session, order, actor=wish.actor)
    return order


def _name_anew(session: Session, provider: Provider, order: Order) -> None:
    """After a definite no the catalogue may name another product by now: then that is what is asked for."""
    if order.attempt > 1:
        named = packs.provider_ids(session, order.request["pack"])
        order.request = {**order.request, "product_id": sold_by.product_of(provider, named)}


def _quoted(session: Session, customer_id: str, pack: PackTerms, code: str | None) -> Discount | None:
    if not code:
        return None
    price = Money(pack.price_minor, pack.currency)
    return coupons.quote(session, code, customer_id=customer_id, what=f"pack:{pack.key}", price=price)


def _frozen(
    order: Order, customer: Payer, pack: PackTerms, discount: Discount | None, wish: Wish, product_id: str | None
) -> dict[str, Any]:
    """What is bought and what the provider will be asked: everything that could be different at a second try."""
    off = discount.off.minor if discount else 0
    return {
        "pack": pack.key,
        "name": pack.name,
        "credits": pack.credits,
        "price_minor": pack.price_minor,
        "off_minor": off,
        "due_minor": pack.price_minor - off,
        "bonus_credits": discount.credits if discount else 0,
        "coupon": discount.code if discount else None,
        "product_id": product_id,
        "payer": customer.name,
        "email": customer.email,
        "success_url": wish.success_url.replace(ORDER_IN_URL, order.id),
        "cancel_url": wish.cancel_url.replace(ORDER_IN_URL, order.id),
    }


def _refuse_other(order: Order, provider: Provider, wish: Wish) -> None:
    """Raises unless the form asks for what it asked for when it made this order."""
    asked = (KIND, wish.pack_key, coupons.spelled(wish.coupon or ""))
    made = (order.kind, order.request.get("pack"), order.request.get("coupon") or "")
    if asked != made:
        raise IdempotencyKeyReused("This form was already sent for something else. Open the page again.", field="pack")
    if order.channel != provider.name:
        raise Conflict("This payment was begun with another provider. Open the page again.", channel=order.channel)


def _reserve(session: Session, order: Order) -> None:
    code = order.request["coupon"]
    if code:
        price, what = Money(order.request["price_minor"], order.currency), f"pack:{order.request['pack']}"
        coupons.reserve(session, code, customer_id=order.customer_id, what=what, price=price, key=order.id)


def _give(session: Session, order: Order, *, actor: str) -> None:
    """A coupon took off everything: the credits are given, and no payment is waited for."""
    used = coupons.redeem(session, order.customer_id, order.id, actor=actor)
    assert used is not None, "only a coupon takes off everything"
    _grant(session, order, key=f"pack:coupon:{used.id}", is_paid=False, told={"coupon": used.id}, actor=actor)
    orders.pay(session, order, f"coupon:{used.id}", at=clock.now())
    _record_paid(session, order, actor, coupon=order.request["coupon"])


def _title(order: Order) -> str:
    """The line of the invoice. The coupon is ours alone: what it leaves is the price the provider is told."""
    coupon = order.request["coupon"] if order.request["off_minor"] else None
    return f"{order.request['name']}, with coupon {coupon}" if coupon else str(order.request["name"])


def _down(session: Session, provider: Provider, order: Order, error: ProviderError) -> ProviderDown:
    """The vendor's words are for the log. A definite no is followed by another key, for nothing was made under this."""
    with transaction(session):
        log.warning("%s opened no page for order %s: %s (%s)", provider.name, order.id, error, error.request_id)
        if isinstance(error, InvalidRequest) or error.code == "idempotency_error":
            orders.try_again(session, order)
            if isinstance(error, NotFound):  # all we named was the customer
                customers.forget(session, order.customer_id, order.channel)
    return ProviderDown(_DOWN, channel=provider.name)


# What the provider tells later. The order is locked and the payment taken by `settle`.


def paid(session: Session, order: Order, told: PaymentSucceeded, _inbox_id: str) -> Effects:
    """The credits, once per payment; a second payment of one order brings them again, for they were paid again."""
    extra = order.payment_id is not None
    if not extra:
        coupon_gone.redeem(session, order, told)
    grant = _grant(
        session,
        order,
        key=f"pack:{told.provider}:{told.payment_id}",
        is_paid=True,
        told={"channel": told.provider, "payment": told.payment_id},
        actor=told.provider,
    )
    sold = {"description": order.request["name"], "order": order.id}
    sold_by_card(
        session, order.customer_id, told.net, told.tax, channel=told.provider, payment_id=told.payment_id, data=sold
    )
    if extra:
        facts = {"payment": told.payment_id, "first_payment": order.payment_id}
        activity.record(session, told.provider, "order.paid_twice", order.id, customer_id=order.customer_id, **facts)
    else:
        orders.pay(session, order, told.payment_id, at=told.occurred_at)
        _record_paid(session, order, told.provider, payment=told.payment_id)
    did = {"order": order.id, "customer": order.customer_id, "payment": told.payment_id, "entry": grant.entry_id}
    return [{"kind": "credits.granted", "credits": order.request["credits"], **did}]


def _grant(
    session: Session,
    order: Order,
    *,
    key: str,
    is_paid: bool,
    told: dict[str, Any],
    actor: str,
) -> credits.Grant:
    return credits.grant(
        session,
        order.customer_id,
        order.request["credits"],
        source="pack",
        key=key,
        is_paid=is_paid,
        data={"description": order.request["name"], "order": order.id, "pack": order.request["pack"], **told},
        actor=actor,
    )


def _record_paid(session: Session, order: Order, actor: str, **told: Any) -> None:
    facts = {"pack": order.request["pack"], "credits": order.request["credits"], **told}
    activity.record(session, actor, "order.paid", order.id, customer_id=order.customer_id, **facts)
