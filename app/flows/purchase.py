"""A purchase of a plan through a provider, as its order keeps it: what is bought is frozen before anybody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import coupons
from app.catalogue import publish, reads
from app.coupons import Discount
from app.customers.models import Customer
from app.db import transaction
from app.errors import Conflict, IdempotencyKeyReused
from app.flows import payer, priced
from app.flows.coupon_at_provider import discount_at
from app.flows.payer import Payer
from app.flows.top_up import ORDER_IN_URL
from app.money import Money
from app.payments import orders
from app.payments.models import Order
from app.providers.port import Provider
from app.providers.values import CustomerRef, DiscountRef, PlanRef
from app.subscriptions import lifecycle, sale
from app.subscriptions.periods import Interval
from app.subscriptions.sale import Sale

KIND = "subscription"
PRICED_AS = "priced_as"  # in an order's request: what the provider calls the price that it was asked for
CHECKOUT, CARD = "checkout", "card"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks to buy, and how. `request` is what else the provider will be asked, frozen with the order."""

    plan_key: str
    interval: Interval
    by: str
    form_key: str
    actor: str
    coupon: str | None
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """The order in plain values: reading the row after a commit would open a transaction around the network call."""

    order_id: str
    customer_id: str
    attempt: int
    key: str
    sale: Sale
    discount: Discount | None
    request: dict[str, Any]


def open_order(session: Session, provider: Provider, customer_id: str, wish: Wish) -> Order:
    """The order of this form: made now, or the one made before.

    Raises AlreadySubscribed, PlanNotForSale, NotFound, CouponRefused, IdempotencyKeyReused when the form now asks for
    another plan, and Conflict while the same customer's card is being charged for a plan.
    """
    # Whoever buys at the same moment waits here: a card must not be charged for two plans.
    session.scalars(select(Customer.id).where(Customer.id == customer_id).with_for_update()).all()
    before = orders.of_form(session, customer_id, wish.form_key)
    if before is not None:
        return _same(before, provider, wish)
    lifecycle.refuse_second(session, customer_id)
    if wish.by == CARD:
        _refuse_beside_another(session, customer_id)
    bought = sale.offered(session, customer_id, wish.plan_key, wish.interval)
    publish.mark_sold(session, bought.terms.id, bought.terms.version)
    order = orders.open_order(
        session,
        customer_id=customer_id,
        kind=KIND,
        amount_minor=bought.price.minor,
        currency=bought.price.currency,
        channel=provider.name,
        form_key=wish.form_key,
        created_by=wish.actor,
    )
    frozen = {**_frozen(bought, wish), **{name: _put_id(said, order.id) for name, said in wish.request.items()}}
    orders.freeze(session, order, frozen)
    discount_of(session, order)
    return order


def _put_id(said: Any, order_id: str) -> Any:
    return said.replace(ORDER_IN_URL, order_id) if isinstance(said, str) else said


def _frozen(bought: Sale, wish: Wish) -> dict[str, Any]:
    return {
        "by": wish.by,
        "plan": bought.terms.key,
        "name": bought.terms.name,
        "plan_id": bought.terms.id,
        "version": bought.terms.version,
        "interval": bought.interval.value,
        "price_minor": bought.price.minor,
        "is_list_price": bought.is_list_price,
        "coupon": wish.coupon,
    }


def _same(order: Order, provider: Provider, wish: Wish) -> Order:
    """What the form made the first time, if it asks for the same now."""
    asked = (wish.plan_key.lower(), wish.interval.value, wish.by)
    made = (str(order.request.get("plan")).lower(), order.request.get("interval"), order.request.get("by"))
    if order.kind != KIND or asked != made:
        raise IdempotencyKeyReused("This form was already sent with another plan. Open the page again.", field="plan")
    if order.channel != provider.name:
        raise Conflict("This payment was begun with another provider. Open the page again.", channel=order.channel)
    return order


def _refuse_beside_another(session: Session, customer_id: str) -> None:
    running = [order for order in orders.open_of_kind(session, customer_id, KIND) if _is_charging(order)]
    if running:
        sentence = "Your card is being charged for a plan at this moment. Wait a minute and look again."
        raise Conflict(sentence, order=running[0].id)


def _is_charging(order: Order) -> bool:
    return bool(order.request.get("by") == CARD and order.state == "pending")


def discount_of(session: Session, order: Order) -> Discount | None:
    """What the order's coupon takes off: reserved for the order, the same however often it is asked."""
    code, what = order.request.get("coupon"), f"plan:{order.request['plan']}"
    if not code:
        return None
    price = Money(order.amount_minor, order.currency)
    _, discount = coupons.reserve(session, code, customer_id=order.customer_id, what=what, price=price, key=order.id)
    return discount


def asked_of(session: Session, order: Order) -> Asked:
    """Everything that is needed to ask the provider, the same at every try."""
    request = order.request
    bought = Sale(
        terms=reads.version_of(session, request["plan_id"], request["version"]),
        interval=Interval(request["interval"]),
        price=Money(request["price_minor"], order.currency),
        is_list_price=request["is_list_price"],
    )
    discount = discount_of(session, order)
    return Asked(order.id, order.customer_id, order.attempt, orders.key_of(order), bought, discount, request)


def known_to(
    session: Session, provider: Provider, customer: Payer, asked: Asked
) -> tuple[CustomerRef, PlanRef, DiscountRef | None]:
    """Customer, price and coupon as the provider calls them, made known where they are not. Raises ProviderError."""
    ref = payer.known(session, provider, customer, attempt=asked.attempt)
    plan = priced.plan_at(session, provider, asked.sale)
    with transaction(session):  # another plan may be given this name before it is paid
        order = orders.find(session, asked.order_id, lock=True)
        assert order is not None, "orders are never deleted"
        order.request = {**order.request, PRICED_AS: plan.provider_price_id}
    discount = discount_at(session, provider, asked.discount) if asked.discount else None
    return ref, plan, discount
