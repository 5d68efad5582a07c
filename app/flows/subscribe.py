"""Beginning a subscription at a provider (SPEC P5): by its hosted checkout, or at once with a saved card.

The order first, then the provider, then what it said. A crash at any point leaves an order that the next call with the
same form key takes up: the provider gets the same key and the same content again. Nothing is active before it is paid,
and the subscription is what the provider says it is, never what a redirect claims.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.db import transaction
from app.errors import ActionRequired, PaymentRefused, ProviderDown, UnsupportedByChannel
from app.flows import cards, earlier, follow, purchase, second, sold_by
from app.flows.payer import Payer
from app.flows.purchase import CARD, CHECKOUT, KIND, Asked, Wish
from app.payments import customers, orders
from app.payments.models import Order
from app.providers import port
from app.providers.billing import SubscriptionState
from app.providers.errors import Declined, InvalidRequest, NotFound, ProviderError
from app.providers.port import Provider
from app.providers.values import Cap, CheckoutRequest, CheckoutSession, Redirect
from app.subscriptions import lifecycle, sale
from app.subscriptions.models import Subscription

log = logging.getLogger(__name__)

_DOWN = "The payment provider did not answer. Nothing was charged that we know of; look again in a minute."
_NOT_ACCEPTED = "The payment provider did not accept this card. Nothing was charged; choose or save another one."
_CONFIRM = "Your bank wants you to confirm this payment. The plan begins once you have."
_SLOW = "Your bank is still working on the payment. The plan begins once it is through."


class NoCard(PaymentRefused):
    """There is no saved card to charge."""

    code = "NO_PAYMENT_METHOD"


def start_checkout(
    session: Session,
    provider: Provider,
    customer: Payer,
    plan_key: str,
    interval: str,
    *,
    form_key: str,
    return_url: str,
    actor: str,
    cancel_url: str | None = None,
    coupon: str | None = None,
    others: Mapping[str, Provider] | None = None,
) -> Order:
    """An order whose `checkout_url` is the page to subscribe on; the same `form_key` gives the same order and page.

    `return_url` (and `cancel_url`, which defaults to it) may hold `{order}` for the order's id. Raises
    AlreadySubscribed, PlanNotForSale, NotFound, CouponRefused, IdempotencyKeyReused, UnsupportedByChannel (NotSoldHere
    where the channel has no such product: staff are told) and ProviderDown, after which the same call may be made.
    """
    port.subscriptions_of(provider)
    told = {"success_url": return_url, "cancel_url": cancel_url or return_url}
    if coupon is not None:
        earlier.close(session, provider, customer.id, but_form=form_key, others=others)  # they hold the coupon's use
    with transaction(session):
        told |= {"email": customer.email, "payer": customer.name}
        wish = Wish(plan_key, sale.every(interval), CHECKOUT, form_key, actor, coupon, told)
        order = purchase.open_order(session, provider, customer.id, wish)
        if order.state != "pending":
            return order
        asked = purchase.asked_of(session, order)
        _refuse_a_coupon(provider, asked)  # before anything is kept
    try:
        page = _page(session, provider, customer, asked)
    except ProviderError as error:
        down, who = _down(session, provider, asked, error), {"customer_id": customer.id, "order_id": asked.order_id}
        raise sold_by.refuse(session, provider, error, sold_by.plan(asked.sale), **who) or down from error
    with transaction(session):
        orders.sent(session, order, page)
        sold_by.settled(session, provider, sold_by.plan(asked.sale))
    earlier.close(session, provider, customer.id, but_form=form_key, others=others)
    return order


def _refuse_a_coupon(provider: Provider, asked: Asked) -> None:
    """Raises UnsupportedByChannel for one that lowers a price which the provider charges by itself."""
    if asked.discount is None or not asked.discount.off.minor or Cap.DISCOUNTS in provider.capabilities:
        return
    sentence = f"{provider.title} takes no coupons for plans. Choose another way to pay to use one."
    raise UnsupportedByChannel(sentence, channel=provider.name, capability=Cap.DISCOUNTS.value, field="coupon")


def _page(session: Session, provider: Provider, customer: Payer, asked: Asked) -> CheckoutSession:
    """The provider's page for this order. No transaction is open while it is asked. Raises ProviderError."""
    ref, plan, discount = purchase.known_to(session, provider, customer, asked)
    wanted = CheckoutRequest(
        order_id=asked.order_id,
        kind="subscription",
        customer=ref,
        title=asked.sale.terms.name,
        success_url=asked.request["success_url"],
        cancel_url=asked.request["cancel_url"],
        plan=plan,
        discount=discount,
        email=asked.request.get("email"),
        name=asked.request.get("payer"),
    )
    return provider.create_checkout(wanted, key=asked.key)


def with_card(
    session: Session,
    provider: Provider,
    customer: Payer,
    plan_key: str,
    interval: str,
    *,
    form_key: str,
    actor: str,
    card_id: str | None = None,
    coupon: str | None = None,
) -> Subscription:
    """Subscribe at once with a saved card (None: the default one). The same `form_key` gives the same subscription.

    Raises as `start_checkout`, and PaymentRefused with the provider's reason (nothing is active; a new form may try
    again), NoCard, and ActionRequired with the url where the customer confirms the payment.
    """
    port.subscriptions_of(provider)
    port.can(provider, Cap.OFF_SESSION, "charge a saved card for a plan")
    chosen = card_id or _default_card(session, provider, customer.id)
    wish = Wish(plan_key, sale.every(interval), CARD, form_key, actor, coupon, {"card_id": chosen})
    if coupon is not None:
        earlier.close(session, provider, customer.id, but_form=form_key)
    with transaction(session):
        order = purchase.open_order(session, provider, customer.id, wish)
        asked = purchase.asked_of(session, order) if order.state == "pending" else None
    if asked is not None:
        earlier.close(session, provider, customer.id, but_form=form_key)
        charge(session, provider, customer, asked, actor=actor)
    return _outcome(session, order)


def charge(session: Session, provider: Provider, customer: Payer, asked: Asked, *, actor: str | None = None) -> None:
    """Ask for the subscription and write down what came of it. Safe to do again: the key is the order's.

    Raises ProviderDown when nobody knows; a decline is written on the order.
    """
    try:
        state, redirect = _begun(session, provider, customer, asked)
        seen = second.give_back(session, provider, follow.look_at(session, provider, state.id))
    except Declined as no:
        _failed(session, asked, str(no))
        return
    except InvalidRequest as error:
        log.warning("%s did not accept order %s: %s (%s)", provider.name, asked.order_id, error, error.request_id)
        _failed(session, asked, _NOT_ACCEPTED)
        return
    except ProviderError as error:
        raise _down(session, provider, asked, error) from error
    with transaction(session):
        if redirect is not None:
            waiting = _locked(session, asked.order_id)
            orders.paying(session, waiting, redirect.url)  # reads the row again, so it comes first
            waiting.request = {**waiting.request, "provider_subscription": state.id}
        follow.take_in(session, provider.name, seen, actor=actor)


def _failed(session: Session, asked: Asked, why: str) -> None:
    with transaction(session):
        follow.give_up(session, _locked(session, asked.order_id), why)


def _begun(
    session: Session, provider: Provider, customer: Payer, asked: Asked
) -> tuple[SubscriptionState, Redirect | None]:
    ref, plan, discount = purchase.known_to(session, provider, customer, asked)
    return port.subscriptions_of(provider).start_subscription(
        ref,
        plan,
        card_id=asked.request["card_id"],
        starts_paid_at=None,
        metadata={follow.REFERENCE: asked.order_id, "kind": KIND},
        discount=discount,
        key=asked.key,
    )


def _default_card(session: Session, provider: Provider, customer_id: str) -> str:
    found = cards.default_of(known := cards.listed(session, provider, customer_id)) or next(iter(known), None)
    if found is None:
        raise NoCard("There is no saved card. Save one, or pay on the payment page.", remedy="checkout")
    return found.id


def _outcome(session: Session, order: Order) -> Subscription:
    """How an order by card ended, as often as it is asked."""
    with transaction(session):
        session.refresh(order)
        if order.state == "paid":
            made = lifecycle.by_provider_id(session, order.channel, str(order.payment_id))
            assert made is not None, "a paid order has its subscription"
            return made
        if order.is_final:
            raise PaymentRefused(order.failure or "The payment did not go through.", order=order.id)
        if order.checkout_url is not None:
            raise ActionRequired(_CONFIRM, url=order.checkout_url, order=order.id)
        raise ActionRequired(_SLOW, url=None, order=order.id)


def _locked(session: Session, order_id: str) -> Order:
    order = orders.find(session, order_id, lock=True)
    assert order is not None, "orders are never deleted"
    return order


def _down(session: Session, provider: Provider, asked: Asked, error: ProviderError) -> ProviderDown:
    """The vendor's words are for the log. A definite no is followed by another key, for nothing was made under this."""
    log.warning("%s began nothing for order %s: %s (%s)", provider.name, asked.order_id, error, error.request_id)
    if isinstance(error, InvalidRequest) or error.code == "idempotency_error":
        with transaction(session):
            orders.try_again(session, _locked(session, asked.order_id))
            if isinstance(error, NotFound):  # most likely the customer, who will be told of anew
                customers.forget(session, asked.customer_id, provider.name)
    return ProviderDown(_DOWN, channel=provider.name)
