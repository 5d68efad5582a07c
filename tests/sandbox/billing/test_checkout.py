"""Checkout in mode subscription: the hosted page pays, and only then is there a subscription."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.billing.conftest import DAY, START, at
from tests.support.pages import page_faults

GOOD, BAD, SECURE, LATER_BAD = "4242424242424242", "4000000000000002", "4000002500003155", "4000000000000341"


@pytest.fixture
def opened(api, ada, prices):
    def open_session(price="Pro month", **more):
        return api.checkout.sessions.create(
            {
                "mode": "subscription",
                "customer": ada.id,
                "client_reference_id": "ord_1",
                "line_items": [{"price": prices[price], "quantity": 1}],
                "subscription_data": {"metadata": {"org": "ada"}},
                "metadata": {"of": "session"},
                "success_url": "http://shop.example/done?session_id={CHECKOUT_SESSION_ID}",
                "cancel_url": "http://shop.example/plan",
                **more,
            }
        )

    return open_session


@pytest.fixture
def coupon(api):
    """Makes a coupon and a code for it; returns the code."""

    def make(text="SPRING", code=None, **terms):
        made = api.coupons.create({"percent_off": 50, "duration": "once", **terms})
        promotion = {"promotion": {"type": "coupon", "coupon": made.id}, "code": text}
        return api.promotion_codes.create({**promotion, **(code or {})})

    return make


def test_paying_makes_the_subscription_and_saves_the_card(api, ada, opened, desk):
    session = opened()

    page = desk.get(session.url)
    answer = desk.post(session.url, method=GOOD)

    assert "Subscribe and pay $29.00" in page.text
    assert not page_faults(desk.app, page.text)
    assert answer.headers["Location"] == f"http://shop.example/done?session_id={session.id}"
    now = api.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "invoice"]})
    assert (now.status, now.payment_status, now.payment_intent) == ("complete", "paid", None)
    made, invoice = now.subscription, now.invoice
    assert (made.status, made.metadata.to_dict(), made.latest_invoice) == ("active", {"org": "ada"}, invoice.id)
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 2900, "subscription_create")
    card = api.customers.payment_methods.list(ada.id).data[0]
    assert made.default_payment_method == card.id
    kinds = desk.kinds()
    for kind in ("checkout.session.completed", "customer.subscription.created", "invoice.finalized", "invoice.paid"):
        assert kinds.count(kind) == 1
    assert kinds.count("invoice_payment.paid") == kinds.count("payment_intent.succeeded") == 1


def test_it_renews_with_the_card_that_was_saved(api, opened, desk):
    session = opened()
    desk.post(session.url, method=SECURE)
    asked = desk.get(session.url + "/authenticate")
    desk.post(session.url + "/authenticate", answer="approve")

    desk.to(at(2026, 12, 1))

    made = api.checkout.sessions.retrieve(session.id).subscription
    assert "Confirm it is you" in asked.text
    assert [each.status for each in api.invoices.list({"subscription": made}).data] == ["paid", "paid"]


@pytest.mark.parametrize("card", [BAD, LATER_BAD])
def test_a_declined_card_makes_nothing(api, ada, opened, desk, card):
    session = opened()

    answer = desk.post(session.url, number=card)

    assert answer.status_code == 402
    assert "Nothing was taken" in answer.text
    assert api.checkout.sessions.retrieve(session.id).status == "open"
    assert api.subscriptions.list({"customer": ada.id, "status": "all"}).data == []
    assert api.invoices.list({"customer": ada.id}).data == []
    assert api.customers.payment_methods.list(ada.id).data == []


def test_a_failed_3d_secure_makes_nothing_and_may_be_tried_again(api, ada, opened, desk):
    session = opened()
    desk.post(session.url, method=SECURE)

    answer = desk.post(session.url + "/authenticate", answer="fail")
    before = api.subscriptions.list({"customer": ada.id}).data
    desk.post(session.url, method=GOOD)

    assert (answer.status_code, before) == (402, [])
    assert len(api.subscriptions.list({"customer": ada.id}).data) == 1


def test_a_guest_becomes_a_customer(api, opened, prices, desk):
    wish = {
        "mode": "subscription",
        "line_items": [{"price": prices["Pro month"]}],
        "success_url": "http://shop.example/",
    }
    session = api.checkout.sessions.create(wish)

    desk.post(session.url, method=GOOD, email="bo@example.com")

    assert api.customers.retrieve(api.checkout.sessions.retrieve(session.id).customer).email == "bo@example.com"


def test_a_trial_takes_a_card_and_no_money(api, ada, opened, desk):
    session = opened(subscription_data={"trial_period_days": 7})

    desk.post(session.url, method=GOOD)
    trying = api.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    desk.to(START + 7 * DAY)

    assert (trying.amount_total, trying.payment_status) == (0, "no_payment_required")
    assert trying.subscription.status == "trialing"
    assert api.subscriptions.retrieve(trying.subscription.id).status == "active"
    assert [each.amount for each in api.charges.list({"customer": ada.id}).data] == [2900]


def test_a_code_typed_on_the_page_is_taken_off(api, opened, coupon, desk):
    code = coupon()
    session = opened(allow_promotion_codes=True)

    wrong = desk.post(session.url + "/code", code="WINTER")
    desk.post(session.url + "/code", code="spring")
    page = desk.get(session.url)
    desk.post(session.url, method=GOOD)
    desk.to(at(2026, 12, 1))

    assert wrong.status_code == 422
    assert "This code is invalid." in wrong.text
    assert not page_faults(desk.app, wrong.text)
    assert "−$14.50" in page.text
    now = api.checkout.sessions.retrieve(session.id, {"expand": ["invoice"]})
    assert (now.amount_subtotal, now.total_details.amount_discount, now.amount_total) == (2900, 1450, 1450)
    assert now.discounts[0].promotion_code == code.id
    assert now.invoice.amount_paid == 1450
    assert now.invoice.total_discount_amounts[0].amount == 1450
    assert api.coupons.retrieve(code.promotion.coupon).times_redeemed == 1
    assert api.invoices.list({"subscription": now.subscription}).data[0].total == 2900


@pytest.mark.parametrize(
    ("terms", "totals"),
    [
        ({"duration": "repeating", "duration_in_months": 2}, [1450, 1450, 2900]),
        ({"duration": "forever"}, [1450, 1450, 1450]),
        ({"percent_off": 12.5}, [2537, 2900, 2900]),
    ],
)
def test_a_coupon_lasts_as_long_as_it_says(api, opened, coupon, desk, *, terms, totals):
    session = opened(discounts=[{"promotion_code": coupon(**terms).id}])

    desk.post(session.url, method=GOOD)
    desk.to(at(2027, 1, 1))

    made = api.checkout.sessions.retrieve(session.id).subscription
    assert [each.total for each in api.invoices.list({"subscription": made}).data][::-1] == totals


def test_the_last_redemption_is_had_by_one(api, ada, opened, coupon, desk):
    code = coupon(max_redemptions=1)
    first, second = (opened(discounts=[{"promotion_code": code.id}]) for _ in range(2))

    desk.post(first.url, method=GOOD)
    late = desk.post(second.url, method=GOOD)

    assert late.status_code == 422
    assert "The price has changed" in late.text
    assert "Pay $29.00" in late.text or "pay $29.00" in late.text
    assert len(api.subscriptions.list({"customer": ada.id}).data) == 1
    with pytest.raises(stripe.InvalidRequestError, match="expired"):
        opened(discounts=[{"promotion_code": code.id}])


def test_a_code_can_be_for_one_customer_once_and_for_some_time(api, ada, opened, coupon, desk, pro):
    other = api.customers.create({"name": "Bo"}).id
    terms = [{"customer": other}, {"expires_at": START + DAY}, {"restrictions": {"first_time_transaction": True}}]
    codes = [coupon(text=f"CODE{at}", code=each) for at, each in enumerate(terms)]
    desk.to(START + DAY)

    for code in codes:
        with pytest.raises(stripe.InvalidRequestError):
            opened(discounts=[{"promotion_code": code.id}])
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        coupon(text="code0")


def test_a_top_up_can_be_discounted_too(api, ada, coupon, desk):
    price = {"currency": "usd", "unit_amount": 5000, "product_data": {"name": "Credits"}}
    coupon_id = api.coupons.create({"id": "FIVE", "amount_off": 500, "currency": "usd", "duration": "once"}).id
    session = api.checkout.sessions.create(
        {
            "mode": "payment",
            "customer": ada.id,
            "line_items": [{"quantity": 1, "price_data": price}],
            "discounts": [{"coupon": coupon_id}],
            "invoice_creation": {"enabled": True},
            "success_url": "http://shop.example/",
        }
    )

    desk.post(session.url, method=GOOD)

    now = api.checkout.sessions.retrieve(session.id, {"expand": ["invoice", "payment_intent"]})
    assert (now.amount_total, now.payment_intent.amount_received, now.invoice.amount_paid) == (4500, 4500, 4500)
    assert now.invoice.total_discount_amounts[0].amount == 500


def test_coupon_and_code_box_exclude_each_other(api, opened, coupon):
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        opened(discounts=[{"promotion_code": coupon().id}], allow_promotion_codes=True)


def test_codes_are_listed_by_code_and_coupon(api, coupon):
    code = coupon()

    assert [each.id for each in api.promotion_codes.list({"code": "SPRING", "active": True}).data] == [code.id]
    assert [each.id for each in api.promotion_codes.list({"coupon": code.promotion.coupon}).data] == [code.id]
    assert api.promotion_codes.list({"code": "WINTER"}).data == []
