"""The adapter against the stand-in, over HTTP: what it asks for, and that asking again does nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app import clock as the_clock
from app.money import Money, round_half_away
from app.providers import errors
from app.providers.polar.diagnosis import USED
from app.providers.polar.invoices import before_tax
from app.providers.values import CheckoutRequest, CustomerRef, PlanRef
from tests.support.doubles.polar.server import Running
from tests.support.polar import polar_adapter
from tests.support.time import Clock

MAYBE_DONE = pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])


@pytest.fixture
def who(polarised: Any) -> CustomerRef:
    return known(polarised)


def known(adapter: Any, customer_id: str = "cus_1", email: str = "ada@example.com") -> CustomerRef:
    return adapter.ensure_customer(customer_id=customer_id, email=email, name="Ada", key="k")


def topup(who: CustomerRef, **more: Any) -> CheckoutRequest:
    wanted = {"order_id": "ord_1", "kind": "topup", "customer": who, "title": "Wallet top-up"}
    urls = {"success_url": "https://purser.example/done", "cancel_url": "https://purser.example/left"}
    return CheckoutRequest(**{"amount": Money(5000, "usd"), **wanted, **urls, **more})


@pytest.fixture
def plan(polarised: Any) -> Callable[..., PlanRef]:
    def price(key: str, dollars: int, interval: Any = "month") -> PlanRef:
        money = Money(dollars * 100, "usd")
        found = polarised.ensure_price(plan=key, version=1, interval=interval, price=money, name=key.title(), key="k")
        return PlanRef(key, interval, money, found, 1)

    return price


@pytest.fixture
def subscribed(polar: Running, polarised: Any, who: CustomerRef, plan: Callable[..., PlanRef]) -> Any:
    wanted = topup(who, kind="subscription", amount=None, plan=plan("starter", 30))
    page = polarised.create_checkout(wanted, key="k")
    order = polar.books.pays(page.id)
    return polarised.get_subscription(order["subscription_id"])


# Customers.


def test_a_customer_is_made_once_and_known_by_our_id(polar: Running, polarised: Any) -> None:
    assert known(polarised) == known(polarised)

    [made] = polar.books.things["customers"].values()
    assert (made["external_id"], made["email"]) == ("cus_1", "ada@example.com")


@MAYBE_DONE
def test_a_customer_whose_making_was_not_answered_is_made_once(polar: Running, polarised: Any, done: bool) -> None:
    polar.fails("POST", "/v1/customers/", 0, done=done)
    with pytest.raises(errors.Unavailable):
        known(polarised)

    known(polarised)

    assert len(polar.books.things["customers"]) == 1


def test_somebody_who_bought_there_before_is_the_same_customer(polar: Running, polarised: Any) -> None:
    before = polar.books.adds_customer({"email": "Ada@example.com".lower(), "name": "Ada"})

    assert known(polarised).id == before["id"]
    assert before["external_id"] == "cus_1"


def test_an_address_that_is_another_customers_is_refused(polarised: Any) -> None:
    known(polarised)

    with pytest.raises(errors.InvalidRequest, match="another customer"):
        known(polarised, "cus_2")


# Pages.


def test_a_top_up_is_a_page_with_a_price_of_its_own(polar: Running, polarised: Any, who: CustomerRef) -> None:
    first = polarised.create_checkout(topup(who), key="k")
    polarised.create_checkout(topup(who, order_id="ord_2", amount=Money(700, "usd")), key="k2")

    assert (first.status, first.paid, first.order_id) == ("open", False, "ord_1")
    assert first.url.startswith("https://sandbox.polar.sh/checkout/")
    assert first.expires_at == the_clock.now() + timedelta(hours=24)
    pages = list(polar.books.things["checkouts"].values())
    assert [page["amount"] for page in pages] == [5000, 700]
    assert [page["product_price"]["source"] for page in pages] == ["ad_hoc", "ad_hoc"]
    assert pages[0]["metadata"] == {"intent_id": "ord_1", "kind": "wallet_topup", "customer_id": "cus_1"}
    assert not pages[0]["allow_discount_codes"]
    assert len(polar.books.things["products"]) == 1, "one product covers every amount"


def test_a_pack_may_have_a_product_of_its_own(polar: Running, polarised: Any, who: CustomerRef) -> None:
    own = polar.books.adds_product({"name": "100 credits", "prices": [{"price_amount": 900}]})

    polarised.create_checkout(topup(who, kind="credit_pack", product_id=own["id"]), key="k")

    [page] = polar.books.things["checkouts"].values()
    assert (page["product_id"], page["amount"]) == (own["id"], 5000)


def test_a_card_cannot_be_saved_on_a_page(polarised: Any, who: CustomerRef) -> None:
    with pytest.raises(errors.InvalidRequest):
        polarised.create_checkout(topup(who, kind="save_card", amount=None, currency="usd"), key="k")


def test_a_page_for_a_customer_who_is_gone_says_so(polar: Running, polarised: Any, who: CustomerRef) -> None:
    polar.books.things["customers"].clear()

    with pytest.raises(errors.NotFound):
        polarised.create_checkout(topup(who), key="k")


def test_what_became_of_a_page_can_be_asked(polar: Running, polarised: Any, who: CustomerRef, clock: Clock) -> None:
    paid, failed, left = (polarised.create_checkout(topup(who, order_id=f"ord_{n}"), key="k") for n in range(3))
    assert polarised.recheck_checkout(paid.id) is None

    order = polar.books.pays(paid.id)
    polar.books.fails(failed.id)
    clock.advance(hours=25)
    polar.books.does_what_is_due()

    assert [polarised.get_checkout(page.id).status for page in (paid, failed, left)] == [
        "complete",
        "expired",
        "expired",
    ]
    heard = [polarised.recheck_checkout(page.id) for page in (paid, failed, left)]
    assert [each.verified.event_id for each in heard] == [
        f"poll:{paid.id}:paid",
        f"poll:{failed.id}:failed",
        f"poll:{left.id}:expired",
    ]
    told = [[type(event).__name__ for event in polarised.normalize(each.body)] for each in heard]
    assert told == [["PaymentSucceeded", "InvoiceChanged"], ["PaymentFailed"], ["CheckoutExpired"]]
    assert polarised.normalize(heard[0].body)[0].payment_id == order["id"]


# Money back: our amounts are with tax, Polar's before it.


def test_a_refund_is_asked_before_tax_and_brings_the_tax_with_it(
    polar: Running, polarised: Any, who: CustomerRef
) -> None:
    polar.books.percent = 8
    order = polar.books.pays(polarised.create_checkout(topup(who), key="k").id)
    back: dict[str, Any] = {"payment_id": order["id"], "reason": "customer asked", "key": "k"}

    first = polarised.refund(amount=Money(2160, "usd"), our_refund_id="ref_1", **back)
    rest = polarised.refund(amount=Money(3240, "usd"), our_refund_id="ref_2", **back)

    assert (first.status, first.amount, first.our_refund_id) == ("succeeded", Money(2160, "usd"), "ref_1")
    assert rest.amount == Money(3240, "usd")
    assert [made["amount"] for made in polar.books.things["refunds"].values()] == [2000, 3000]
    assert (order["refunded_amount"], order["refunded_tax_amount"], order["status"]) == (5000, 400, "refunded")
    assert {each.our_refund_id for each in polarised.list_refunds(order["id"])} == {"ref_1", "ref_2"}
    notes = polarised.get_invoice(order["id"]).credit_notes
    assert sorted((note.total, note.tax) for note in notes) == [(2160, 160), (3240, 240)]
    with pytest.raises(errors.InvalidRequest):
        polarised.refund(amount=Money(1, "usd"), our_refund_id="ref_3", **back)


@pytest.mark.parametrize("percent", [0, 7, 19, 25])
def test_every_part_and_its_tax_come_to_what_was_asked_for(percent: int) -> None:
    net, tax = 5000, 5000 * percent // 100
    order = {"net_amount": net, "tax_amount": tax, "refundable_amount": net, "refundable_tax_amount": tax}

    for asked in range(1, net + 1, 7):
        assert before_tax(order, asked + round_half_away(asked * tax, net)) == asked
    assert before_tax(order, net + tax) == net


@MAYBE_DONE
def test_a_refund_that_was_not_answered_is_made_once(
    polar: Running, polarised: Any, who: CustomerRef, done: bool
) -> None:
    order = polar.books.pays(polarised.create_checkout(topup(who), key="k").id)
    asked: dict[str, Any] = {"payment_id": order["id"], "amount": Money(2000, "usd"), "our_refund_id": "ref_1"}
    polar.fails("POST", "/v1/refunds/", 500, done=done)
    with pytest.raises(errors.Unavailable):
        polarised.refund(reason="", key="k", **asked)

    again = polarised.refund(reason="", key="k", **asked)

    assert (again.our_refund_id, order["refunded_amount"]) == ("ref_1", 2000)
    assert len(polar.books.things["refunds"]) == 1


# Subscriptions.


def test_a_price_is_made_once_and_read_back_from_what_was_bought(
    polar: Running, polarised: Any, plan: Callable[..., PlanRef], subscribed: Any
) -> None:
    assert plan("starter", 30).provider_price_id == subscribed.provider_price_id
    assert plan("starter", 31).provider_price_id != subscribed.provider_price_id
    assert plan("starter", 30, "year").provider_price_id != subscribed.provider_price_id
    assert subscribed.plan == plan("starter", 30)
    assert (subscribed.status, subscribed.period_start) == ("active", the_clock.now())
    assert subscribed.metadata["intent_id"] == "ord_1"
    [order] = polar.books.things["orders"].values()
    assert subscribed.latest_invoice_id == order["id"]


def test_an_upgrade_is_charged_at_once_or_does_not_happen(
    polar: Running, polarised: Any, subscribed: Any, who: CustomerRef, plan: Callable[..., PlanRef], clock: Clock
) -> None:
    clock.advance(days=15)
    polar.books.poor.add(who.id)
    with pytest.raises(errors.Declined):
        polarised.change_now(subscribed, plan("growth", 90), at=the_clock.now(), key="k")
    assert polarised.get_subscription(subscribed.id).plan == plan("starter", 30)

    polar.books.poor.clear()
    for _ in range(2):
        state, redirect = polarised.change_now(subscribed, plan("growth", 90), at=the_clock.now(), key="k")

    assert (state.plan, redirect) == (plan("growth", 90), None)
    orders = list(polar.books.things["orders"].values())
    assert [order["billing_reason"] for order in orders] == ["subscription_create", "subscription_update"]
    doc = polarised.get_invoice(orders[1]["id"])
    assert [line.proration for line in doc.lines] == [True, True]
    assert doc.lines[0].amount > 0 > doc.lines[1].amount
    assert doc.total == orders[1]["net_amount"] == sum(line.amount for line in doc.lines)


def test_an_upgrade_that_is_refused_leaves_a_cancellation_as_it_was(
    polar: Running, polarised: Any, subscribed: Any, who: CustomerRef, plan: Callable[..., PlanRef]
) -> None:
    polarised.cancel_at_period_end(subscribed, reason="unused", comment=None, key="k")
    polar.books.poor.add(who.id)

    with pytest.raises(errors.Declined):
        polarised.change_now(subscribed, plan("growth", 90), at=the_clock.now(), key="k")

    assert polarised.get_subscription(subscribed.id).cancel_at_period_end


def test_a_downgrade_waits_can_be_replaced_and_taken_back(
    polar: Running, polarised: Any, subscribed: Any, plan: Callable[..., PlanRef], clock: Clock
) -> None:
    state = polarised.change_at_period_end(subscribed, plan("small", 10), key="k")
    assert (state.plan, state.pending.at) == (plan("starter", 30), state.period_end)
    assert state.pending.provider_price_id == plan("small", 10).provider_price_id

    assert polarised.clear_pending_change(state, key="k").pending is None
    assert polarised.clear_pending_change(state, key="k").pending is None
    polarised.change_at_period_end(state, plan("small", 10), key="k")
    clock.advance(days=32)
    polar.books.does_what_is_due()

    after = polarised.get_subscription(subscribed.id)
    assert (after.plan, after.pending) == (plan("small", 10), None)


def test_an_end_can_be_asked_for_taken_back_and_reached(polar: Running, polarised: Any, subscribed: Any) -> None:
    leaving = polarised.cancel_at_period_end(subscribed, reason="too_expensive", comment="Sorry", key="k")
    assert (leaving.cancel_at_period_end, leaving.cancel_at) == (True, leaving.period_end)
    assert (leaving.cancel_reason, leaving.cancel_comment) == ("too_expensive", "Sorry")

    assert not polarised.resume(leaving, key="k").cancel_at_period_end
    assert not polarised.resume(leaving, key="k").cancel_at_period_end
    for _ in range(2):
        assert polarised.cancel_now(leaving, key="k").status == "canceled"
    with pytest.raises(errors.InvalidRequest):
        polarised.resume(leaving, key="k")


def test_what_is_unused_goes_back_once_with_its_tax(
    polar: Running, polarised: Any, who: CustomerRef, plan: Callable[..., PlanRef], clock: Clock
) -> None:
    polar.books.percent = 10
    wanted = topup(who, kind="subscription", amount=None, plan=plan("starter", 31))
    order = polar.books.pays(polarised.create_checkout(wanted, key="k").id)
    sub = polarised.get_subscription(order["subscription_id"])
    clock.advance(days=10)

    unused = polarised.unused_value(sub, at=the_clock.now())
    assert (unused.net, unused.tax, unused.to_card) == (Money(2100, "usd"), 210, 2310)
    polarised.cancel_now(sub, key="k")
    for _ in range(2):
        back = polarised.refund_unused(who, unused, our_refund_id="chg_1", key="k")

    assert (back.refunded, order["refunded_amount"]) == (Money(2310, "usd"), 2100)
    assert polarised.unused_value(sub, at=the_clock.now()).to_card == 1100, "never more than is left of the order"
    assert polarised.unused_value(sub, at=sub.period_end).parts == []


def test_orders_are_listed_newest_first_page_by_page(
    polar: Running, polarised: Any, who: CustomerRef, subscribed: Any, clock: Clock
) -> None:
    for _ in range(3):
        clock.advance(days=32)
        polar.books.does_what_is_due()

    first, cursor = polarised.list_invoices(who, cursor=None, limit=3)
    rest, last = polarised.list_invoices(who, cursor=cursor, limit=3)

    assert [doc.reason for doc in [*first, *rest]] == [*["subscription_cycle"] * 3, "subscription_create"]
    starts = [doc.lines[0].period_start for doc in [*first, *rest]]
    assert starts == sorted(starts, reverse=True)
    assert all(
        a.lines[0].period_start == b.lines[0].period_end for a, b in zip(first, [*first[1:], *rest], strict=True)
    )
    assert last is None
    assert len(polarised.list_subscriptions(who)) == 1


# What Polar is asked for besides.


def test_the_portal_is_a_link_for_this_click(polarised: Any, who: CustomerRef) -> None:
    there = polarised.portal(who, return_url="https://purser.example/back")

    assert there.url.startswith("https://sandbox.polar.sh/acme/portal?customer_session_token=")


def test_events_that_never_arrived_are_read_under_the_ids_they_had(
    polar: Running, polarised: Any, who: CustomerRef, clock: Clock
) -> None:
    clock.advance(days=1)
    since = the_clock.now()
    polar.books.pays(polarised.create_checkout(topup(who), key="k").id)
    polar.deliveries.lost = True
    for _ in range(3):
        polar.deliveries.send_due(lambda _body, _headers: 200)
        clock.advance(seconds=70)

    heard = polarised.events_since(since)

    assert [each.verified.event_id for each in heard] == [event.id for event in polar.deliveries.events]
    assert [each.body for each in heard] == [event.body for event in polar.deliveries.events]
    assert polarised.events_since(the_clock.now()) == []


def test_disputes_are_asked_for_and_told_once_per_state(
    polar: Running, polarised: Any, who: CustomerRef, clock: Clock
) -> None:
    order = polar.books.pays(polarised.create_checkout(topup(who), key="k").id)
    since = the_clock.now()
    dispute = polar.books.disputes(order["id"])

    opened = polarised.disputes_since(since)
    assert [each.verified for each in opened] == [each.verified for each in polarised.disputes_since(since)]
    clock.advance(hours=1)
    polar.books.edit(dispute, status="lost")
    [closed] = polarised.disputes_since(the_clock.now())

    [told] = polarised.normalize(opened[0].body)
    assert (told.phase, told.payment_id, told.due_by is not None) == ("open", order["id"], True)
    assert polarised.normalize(closed.body)[0].phase == "lost"
    assert closed.verified.event_id != opened[0].verified.event_id


URL = "https://purser.example/payment/webhook/polar"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, None),
        ({"enabled": False}, "ten failures"),
        ({"format": "slack"}, "must be raw"),
        ({"events": ["order.paid"]}, "does not send: checkout.expired"),
        ({"url": "https://elsewhere.example/"}, "no webhook endpoint"),
    ],
)
def test_the_doctor_says_what_is_wrong_at_polar(
    polar: Running, polarised: Any, more: dict[str, Any], words: str | None
) -> None:
    polar.endpoints.append({"id": "1", "url": URL, "format": "raw", "enabled": True, "events": list(USED), **more})

    found = polarised.diagnose(webhook_url=URL)

    wrong = [finding.sentence for finding in found if not finding.ok]
    assert not wrong if words is None else [sentence for sentence in wrong if words in sentence]


def test_the_doctor_says_that_a_token_is_of_the_other_server(polar: Running) -> None:
    stranger = polar_adapter(polar, access_token="polar_oat_of_somebody_else")
    [found] = stranger.diagnose(webhook_url=URL)
    stranger.close()

    assert not found.ok
    assert "POLAR_ACCESS_TOKEN" in found.sentence


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0, errors.Unavailable),
        (302, errors.Unavailable),
        (401, errors.AuthFailed),
        (402, errors.Declined),
        (403, errors.InvalidRequest),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (422, errors.InvalidRequest),
        (429, errors.RateLimited),
        (500, errors.Unavailable),
        (503, errors.Unavailable),
    ],
)
def test_every_answer_is_one_of_our_errors(polar: Running, polarised: Any, status: int, kind: Any) -> None:
    polar.fails("GET", "/v1/subscriptions/", status)

    with pytest.raises(errors.ProviderError) as met:
        polarised.get_subscription("sub_1")

    assert type(met.value) is kind
