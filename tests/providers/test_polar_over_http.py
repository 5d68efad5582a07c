"""The adapter against the stand-in, over HTTP: what it asks for, and that asking again does nothing twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app import clock as the_clock
from app.money import Money, round_half_away
from app.providers import errors
from app.providers.polar.diagnosis import USED
from app.providers.polar.invoices import before_tax
from app.providers.values import CustomerRef
from tests.support.doubles.polar.server import Running
from tests.support.polar import polar_adapter
from tests.support.polar_asked import known, topup
from tests.support.time import Clock

MAYBE_DONE = pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])


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
