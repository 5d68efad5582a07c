"""A subscription's life through the real adapter and SDK, against the sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.money import Money
from app.providers.billing import CouponTerms, SubscriptionState
from app.providers.errors import Conflict, Declined, InvalidRequest, NotFound
from app.providers.values import CheckoutRequest, CustomerRef, PlanRef
from app.sandbox.server import Running
from tests.support.payments import Buyer

GOOD, FAILS_LATER, ALWAYS_ASKS = "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"
DAY = 86_400


@pytest.fixture
def customer(stripe: Any) -> CustomerRef:
    return stripe.ensure_customer(customer_id="cus_1", email="ada@example.com", name="Ada", key="cus_1:customer")


@pytest.fixture
def plan(stripe: Any) -> Callable[..., PlanRef]:
    def price(key: str, dollars: int, interval: Any = "month", version: int = 1) -> PlanRef:
        money = Money(dollars * 100, "usd")
        found = stripe.ensure_price(
            plan=key, version=version, interval=interval, price=money, name=key.title(), key=f"price:{key}"
        )
        return PlanRef(key, interval, money, found, version)

    return price


@pytest.fixture
def starter(plan: Callable[..., PlanRef]) -> PlanRef:
    return plan("starter", 30)


@pytest.fixture
def growth(plan: Callable[..., PlanRef]) -> PlanRef:
    return plan("growth", 90)


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


@pytest.fixture
def card(stripe: Any, customer: CustomerRef) -> Callable[..., str]:
    """A saved card; its id."""

    def save(alias: str = GOOD) -> str:
        saved = stripe._stripe.call(lambda v1: v1.payment_methods.attach(alias, {"customer": customer.id}))
        return str(saved["id"])

    return save


@pytest.fixture
def subscribed(stripe: Any, customer: CustomerRef, starter: PlanRef, card: Callable[..., str]) -> SubscriptionState:
    state, redirect = start(stripe, customer, starter, card())
    assert redirect is None
    return state


def start(stripe: Any, customer: CustomerRef, plan: PlanRef, card_id: str | None, **more: Any) -> Any:
    wanted = {"starts_paid_at": None, "metadata": {"order": "ord_1"}, "discount": None, "key": "start", **more}
    return stripe.start_subscription(customer, plan, card_id=card_id, **wanted)


def sandbox_now(sandbox: Running) -> datetime:
    return datetime.fromtimestamp(sandbox.sandbox.clock.now(), UTC)


def newest(stripe: Any, customer: CustomerRef) -> Any:
    invoices, _ = stripe.list_invoices(customer, cursor=None, limit=1)
    return stripe.get_invoice(invoices[0].id)


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


def test_an_upgrade_costs_what_was_shown_to_the_cent(
    stripe: Any, customer: CustomerRef, subscribed: SubscriptionState, growth: PlanRef, sandbox: Running
) -> None:
    sandbox.advance(7 * DAY + 4321)
    at = sandbox_now(sandbox)
    shown = stripe.preview_change(subscribed, growth, at=at)
    sandbox.advance(500)

    state, redirect = stripe.change_now(subscribed, growth, at=at, key="up")
    again, _ = stripe.change_now(subscribed, growth, at=at, key="up")

    paid = stripe.get_invoice(state.latest_invoice_id)
    assert redirect is None
    assert (state.plan, again.plan, state.period_end) == (growth, growth, subscribed.period_end)
    assert (paid.status, paid.reason, paid.total) == ("paid", "subscription_update", shown.due_now.minor)
    assert shown.charge - shown.credit == shown.due_now.minor
    assert (shown.next_total, shown.next_at) == (Money(9000, "usd"), subscribed.period_end)
    assert [line.amount for line in paid.lines] == [line.amount for line in shown.lines]


def test_a_refused_upgrade_leaves_the_old_plan(
    stripe: Any, subscribed: SubscriptionState, growth: PlanRef, card: Callable[..., str], sandbox: Running
) -> None:
    stripe.set_subscription_card(subscribed, card(FAILS_LATER), key="card")
    at = sandbox_now(sandbox)

    for _ in range(2):
        with pytest.raises(Declined):
            stripe.change_now(subscribed, growth, at=at, key="up")

    state = stripe.get_subscription(subscribed.id)
    assert (state.status, state.plan, state.pending) == ("active", subscribed.plan, None)


def test_an_upgrade_that_must_be_confirmed_waits_and_can_be_dropped(
    stripe: Any, subscribed: SubscriptionState, growth: PlanRef, card: Callable[..., str], sandbox: Running
) -> None:
    stripe.set_subscription_card(subscribed, card(ALWAYS_ASKS), key="card")

    state, page = stripe.change_now(subscribed, growth, at=sandbox_now(sandbox), key="up")
    dropped = stripe.clear_pending_change(state, key="drop")

    assert page is not None
    assert (state.plan, state.pending.plan, state.pending.at) == (subscribed.plan, growth, None)
    assert stripe.get_invoice(state.pending.invoice_id).status == "void"
    assert (dropped.plan, dropped.pending) == (subscribed.plan, None)


def test_a_downgrade_waits_for_the_periods_end_and_happens_then(
    stripe: Any, subscribed: SubscriptionState, plan: Callable[..., PlanRef], sandbox: Running, customer: CustomerRef
) -> None:
    mini, micro = plan("mini", 10), plan("micro", 5)

    first = stripe.change_at_period_end(subscribed, mini, key="down")
    assert stripe.change_at_period_end(subscribed, mini, key="down").pending == first.pending
    second = stripe.change_at_period_end(first, micro, key="down2")
    sandbox.advance(32 * DAY)
    sandbox.deliver()
    after = stripe.get_subscription(subscribed.id)

    assert (first.plan, first.pending.plan, first.pending.at) == (subscribed.plan, mini, subscribed.period_end)
    assert second.pending.plan == micro
    assert (after.plan, after.pending, after.period_start) == (micro, None, subscribed.period_end)
    assert newest(stripe, customer).total == 500


def test_a_crash_between_the_two_calls_of_a_downgrade_is_taken_up(
    stripe: Any, subscribed: SubscriptionState, plan: Callable[..., PlanRef]
) -> None:
    mini = plan("mini", 10)
    stripe._stripe.call(  # what the first call alone leaves behind
        lambda v1: v1.subscription_schedules.create(
            {"from_subscription": subscribed.id}, {"idempotency_key": "down:create"}
        )
    )
    assert stripe.get_subscription(subscribed.id).pending is None

    assert stripe.change_at_period_end(subscribed, mini, key="down").pending.plan == mini


def test_what_is_pending_gives_way_to_an_upgrade_and_to_a_cancellation(
    stripe: Any, subscribed: SubscriptionState, plan: Callable[..., PlanRef], growth: PlanRef, sandbox: Running
) -> None:
    mini = plan("mini", 10)

    stripe.change_at_period_end(subscribed, mini, key="down")
    upgraded, _ = stripe.change_now(subscribed, growth, at=sandbox_now(sandbox), key="up")
    stripe.change_at_period_end(upgraded, mini, key="down2")
    ends = stripe.cancel_at_period_end(upgraded, reason="too_expensive", comment="For now.", key="end")
    down = stripe.change_at_period_end(ends, mini, key="down3")

    assert (upgraded.plan, upgraded.pending) == (growth, None)
    assert (ends.pending, ends.cancel_at_period_end, ends.cancel_at) == (None, True, ends.period_end)
    assert (ends.cancel_reason, ends.cancel_comment) == ("too_expensive", "For now.")
    assert (down.cancel_at_period_end, down.pending.plan) == (False, mini)
    assert stripe.clear_pending_change(down, key="undo").pending is None


def test_a_cancellation_can_be_taken_back_until_it_happens(
    stripe: Any, subscribed: SubscriptionState, sandbox: Running
) -> None:
    ending = stripe.cancel_at_period_end(subscribed, reason=None, comment=None, key="end")
    assert not stripe.resume(ending, key="stay").cancel_at_period_end
    stripe.cancel_at_period_end(subscribed, reason=None, comment=None, key="end2")
    sandbox.advance(32 * DAY)
    sandbox.deliver()

    over = stripe.get_subscription(subscribed.id)
    assert (over.status, over.ended_at) == ("canceled", subscribed.period_end)
    with pytest.raises(InvalidRequest):
        stripe.resume(over, key="late")


def test_ending_now_moves_no_money_and_the_unused_share_goes_back_to_the_card(
    stripe: Any, customer: CustomerRef, subscribed: SubscriptionState, growth: PlanRef, sandbox: Running
) -> None:
    sandbox.advance(5 * DAY)
    stripe.change_now(subscribed, growth, at=sandbox_now(sandbox), key="up")
    sandbox.advance(5 * DAY)

    unused = stripe.unused_value(subscribed, at=sandbox_now(sandbox))
    over = stripe.cancel_now(subscribed, key="end")
    back = stripe.refund_unused(customer, unused, our_refund_id="rf_1", key="back")
    again = stripe.refund_unused(customer, unused, our_refund_id="rf_1", key="another")

    whole = (subscribed.period_end - subscribed.period_start).total_seconds()
    left = whole - 10 * DAY
    assert abs(unused.net.minor - 9000 * left / whole) < 3
    assert (over.status, stripe.cancel_now(over, key="end").status) == ("canceled", "canceled")
    assert back.refunded == unused.net
    assert (unused.to_card, back.credited.minor) == (unused.net.minor, 0)
    assert [each.status for each in back.refunds] == ["succeeded"] * len(back.refunds)
    assert again == back
    assert sum(stripe.get_invoice(part.invoice_id).credited for part in unused.parts[:1]) > 0
    notes = stripe.get_invoice(unused.parts[0].invoice_id).credit_notes
    assert [note.our_refund_id for note in notes] == ["rf_1"]


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
