"""A subscription's beginning, its invoices and coupons, through the real adapter and SDK against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.money import Money
from app.providers.billing import CouponTerms, SubscriptionState
from app.providers.errors import Conflict, Declined, NotFound
from app.providers.values import CheckoutRequest, CustomerRef, PlanRef
from app.sandbox.server import Running
from tests.support.payments import Buyer
from tests.support.subscribers import ALWAYS_ASKS, DAY, FAILS_LATER, newest, sandbox_now, start


@pytest.fixture
def asked(customer: CustomerRef, starter: PlanRef) -> CheckoutRequest:
    return CheckoutRequest(
        order_id="ord_1",
        kind="subscription",
        customer=customer,
        title="Starter",
        success_url="https://x.example/done",
        cancel_url="https://x.example/back",
        plan=starter,
    )


def test_a_price_is_made_once_and_another_amount_is_another_price(plan: Callable[..., PlanRef]) -> None:
    first, again, dearer = plan("starter", 30), plan("starter", 30), plan("starter", 25)

    assert first == again
    assert dearer.provider_price_id != first.provider_price_id
    assert plan("starter", 300, "year").provider_price_id != first.provider_price_id


def test_a_page_sells_a_subscription_for_our_order(
    stripe: Any, asked: CheckoutRequest, starter: PlanRef, buyer: Buyer
) -> None:
    page = stripe.create_checkout(asked, key="ord_1:1")
    buyer.pays(page.id)

    heard = stripe.recheck_checkout(page.id)
    (done,) = stripe.normalize(heard.body)
    state = stripe.get_subscription(done.session.subscription_id)

    assert (done.order_id, done.session.paid) == ("ord_1", True)
    assert (state.status, state.plan) == ("active", starter)
    assert state.metadata["intent_id"] == "ord_1"
    assert state.card_id is not None
    assert state.period_end > state.period_start == state.anchor_at


def test_a_saved_card_starts_one_at_once_and_once(
    stripe: Any, customer: CustomerRef, starter: PlanRef, card: Callable[..., str]
) -> None:
    visa = card()
    state, redirect = start(stripe, customer, starter, visa)
    again, _ = start(stripe, customer, starter, visa)

    assert redirect is None
    assert (state.id, state.status, state.plan, state.card_id) == (again.id, "active", starter, visa)
    invoice = stripe.get_invoice(state.latest_invoice_id)
    assert (invoice.status, invoice.reason, invoice.total) == ("paid", "subscription_create", 3000)
    assert (invoice.subscription_id, invoice.metadata["order"]) == (state.id, "ord_1")
    assert len(invoice.payment_ids) == 1
    assert [each.id for each in stripe.list_subscriptions(customer)] == [state.id]


def test_a_refused_card_leaves_no_subscription(
    stripe: Any, customer: CustomerRef, starter: PlanRef, card: Callable[..., str]
) -> None:
    broken = card(FAILS_LATER)

    for _ in range(2):
        with pytest.raises(Declined) as declined:
            start(stripe, customer, starter, broken)
        assert declined.value.code == "generic_decline"
    assert [each.status for each in stripe.list_subscriptions(customer)] == ["canceled"]
    assert newest(stripe, customer).status == "void"


def test_a_card_that_asks_gives_a_page_to_confirm_on(
    stripe: Any, customer: CustomerRef, starter: PlanRef, card: Callable[..., str], sandbox: Running
) -> None:
    state, page = start(stripe, customer, starter, card(ALWAYS_ASKS))

    assert state.status == "incomplete"
    assert page is not None
    assert page.url.startswith(sandbox.url)


def test_the_first_charge_can_lie_ahead(
    stripe: Any, customer: CustomerRef, starter: PlanRef, card: Callable[..., str], sandbox: Running
) -> None:
    begins = sandbox_now(sandbox) + timedelta(days=10)

    state, redirect = start(stripe, customer, starter, card(), starts_paid_at=begins)
    sandbox.advance(10 * DAY + 7200)
    sandbox.deliver()
    later = stripe.get_subscription(state.id)

    assert redirect is None
    assert (state.status, state.trial_end, state.period_end) == ("trialing", *[begins.replace(microsecond=0)] * 2)
    assert (later.status, later.period_start) == ("active", state.trial_end)
    assert newest(stripe, customer).total == 3000


def test_another_customers_card_pays_nothing(stripe: Any, starter: PlanRef, subscribed: SubscriptionState) -> None:
    bo = stripe.ensure_customer(customer_id="cus_2", email="bo@example.com", name="Bo", key="cus_2:customer")

    with pytest.raises(NotFound):
        start(stripe, bo, starter, subscribed.card_id, key="bo")


def test_a_failed_renewal_is_collected_with_another_card(
    stripe: Any, customer: CustomerRef, subscribed: SubscriptionState, card: Callable[..., str], sandbox: Running
) -> None:
    stripe.set_subscription_card(subscribed, card(FAILS_LATER), key="broken")
    sandbox.advance(31 * DAY + 7200)
    sandbox.deliver()
    late = stripe.get_subscription(subscribed.id)
    good = subscribed.card_id

    refused = stripe.retry_invoice(late.latest_invoice_id, card_id=None, key="retry:1")
    paid = stripe.retry_invoice(late.latest_invoice_id, card_id=good, key="retry:2")
    once_more = stripe.retry_invoice(late.latest_invoice_id, card_id=good, key="retry:3")

    assert late.status == "past_due"
    assert (refused.status, refused.decline_code) == ("failed", "generic_decline")
    assert refused.payment_id is not None
    assert (paid.status, once_more.status) == ("succeeded", "succeeded")
    assert stripe.get_subscription(subscribed.id).status == "active"


def test_an_invoice_that_must_be_confirmed_says_where(
    stripe: Any, subscribed: SubscriptionState, card: Callable[..., str], sandbox: Running
) -> None:
    stripe.set_subscription_card(subscribed, card(FAILS_LATER), key="broken")
    sandbox.advance(31 * DAY + 7200)
    sandbox.deliver()
    invoice = stripe.get_subscription(subscribed.id).latest_invoice_id

    asked = stripe.retry_invoice(invoice, card_id=card(ALWAYS_ASKS), key="retry:1")

    assert asked.status == "requires_action"
    assert asked.redirect.url.startswith(sandbox.url)


def test_invoices_come_in_pages(
    stripe: Any, customer: CustomerRef, subscribed: SubscriptionState, sandbox: Running
) -> None:
    for _ in range(2):
        sandbox.advance(31 * DAY)
        sandbox.deliver()

    first, cursor = stripe.list_invoices(customer, cursor=None, limit=2)
    second, end = stripe.list_invoices(customer, cursor=cursor, limit=2)

    assert [each.reason for each in (*first, *second)] == ["subscription_cycle"] * 2 + ["subscription_create"]
    assert end is None


def test_a_coupon_is_made_once_and_takes_its_part_off(
    stripe: Any, customer: CustomerRef, starter: PlanRef, card: Callable[..., str]
) -> None:
    terms = CouponTerms("coup_1", "LAUNCH20", "Launch", "repeating", percent=20, months=3, plans={"starter": "Starter"})

    coupon = stripe.ensure_coupon(terms, key="coup_1")
    state, _ = start(stripe, customer, starter, card(), discount=coupon)

    assert stripe.ensure_coupon(terms, key="another") == coupon
    invoice = stripe.get_invoice(state.latest_invoice_id)
    assert (invoice.subtotal, invoice.discount, invoice.total) == (3000, 600, 2400)
    with pytest.raises(Conflict):
        stripe.ensure_coupon(replace(terms, percent=30), key="k")
    with pytest.raises(Conflict):
        stripe.ensure_coupon(replace(terms, coupon_id="coup_2"), key="k2")


def test_a_page_takes_a_coupon_or_lets_one_be_typed(stripe: Any, asked: CheckoutRequest, buyer: Buyer) -> None:
    terms = CouponTerms("coup_1", "TENOFF", "Ten off", "once", amount=Money(1000, "usd"))
    coupon = stripe.ensure_coupon(terms, key="coup_1")

    page = stripe.create_checkout(replace(asked, discount=coupon, allow_codes=True), key="k")
    buyer.pays(page.id)

    used = stripe.get_checkout(page.id).discount
    assert used is not None
    assert coupon.id == used.id or coupon.code_id == used.code_id
