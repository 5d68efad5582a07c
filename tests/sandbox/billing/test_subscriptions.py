"""Subscriptions by API: begun, read, changed in small ways, and ended."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.billing.conftest import DAY, START, at


def test_it_begins_paid_with_an_invoice(api, ada, pro, prices, desk):
    read = api.subscriptions.retrieve(pro.id, {"expand": ["latest_invoice.payments"]})
    item, invoice = read["items"].data[0], read.latest_invoice
    line = invoice.lines.data[0]

    assert (read.status, read.customer, read.metadata.to_dict()) == ("active", ada.id, {"org": "ada"})
    assert (item.price.id, item.quantity) == (prices["Pro month"], 1)
    assert (item.current_period_start, item.current_period_end) == (START, at(2026, 12, 1))
    assert (invoice.status, invoice.total, invoice.billing_reason) == ("paid", 2900, "subscription_create")
    assert (line.period.start, line.period.end) == (START, at(2026, 12, 1))
    assert line.pricing.price_details.price == prices["Pro month"]
    assert invoice.payments.data[0].status == "paid"
    assert invoice.number.endswith("-0001")


def test_its_beginning_is_told(pro, desk):
    kinds = desk.kinds()
    created = desk.news("customer.subscription.created")[0]["data"]["object"]
    activated = desk.news("customer.subscription.updated")[0]

    assert created["status"] == "incomplete"
    assert activated["data"]["previous_attributes"] == {"status": "incomplete"}
    for kind in ("invoice.created", "invoice.finalized", "invoice.paid", "invoice_payment.paid", "charge.succeeded"):
        assert kinds.count(kind) == 1


@pytest.mark.parametrize(("behaviour", "left"), [("allow_incomplete", "incomplete"), ("error_if_incomplete", None)])
def test_a_refused_first_payment(api, ada, card, prices, desk, *, behaviour, left):
    card("pm_card_chargeCustomerFail")
    wish = {"customer": ada.id, "items": [{"price": prices["Pro month"]}], "payment_behavior": behaviour}

    if left is None:
        with pytest.raises(stripe.CardError, match="declined"):
            api.subscriptions.create(wish)
    else:
        assert api.subscriptions.create(wish).status == left

    assert [each.status for each in api.subscriptions.list({"customer": ada.id}).data] == [left] * (left is not None)
    assert len(api.invoices.list({"customer": ada.id}).data) == (left is not None)


def test_an_incomplete_one_is_paid_within_23_hours_or_expires(api, ada, card, prices, desk):
    card("pm_card_chargeCustomerFail")
    wish = {"customer": ada.id, "items": [{"price": prices["Pro month"]}]}
    saved, lost = api.subscriptions.create(wish), api.subscriptions.create(wish)

    good = card()
    api.invoices.pay(saved.latest_invoice, {"payment_method": good})
    desk.to(START + 23 * 3600)

    assert api.subscriptions.retrieve(saved.id).status == "active"
    assert api.subscriptions.retrieve(lost.id).status == "incomplete_expired"
    assert api.invoices.retrieve(lost.latest_invoice).status == "void"


def test_the_periods_are_counted_from_the_anchor(api, ada, card, prices, desk):
    desk.to(at(2027, 1, 31))
    card()
    made = api.subscriptions.create({"customer": ada.id, "items": [{"price": prices["Pro month"]}]})

    ends = []
    for end in (at(2027, 2, 28), at(2027, 3, 31), at(2027, 4, 30)):
        ends.append(api.subscriptions.retrieve(made.id)["items"].data[0].current_period_end)
        desk.to(end)

    assert ends == [at(2027, 2, 28), at(2027, 3, 31), at(2027, 4, 30)]


def test_ending_at_the_period_end_and_taking_it_back(api, pro, desk):
    wish = {"cancel_at_period_end": True, "cancellation_details": {"feedback": "too_expensive", "comment": "Sorry"}}

    announced = api.subscriptions.update(pro.id, wish)
    back = api.subscriptions.update(pro.id, {"cancel_at_period_end": False})
    desk.to(at(2026, 12, 1))

    assert (announced.cancel_at_period_end, announced.cancel_at) == (True, at(2026, 12, 1))
    details = announced.cancellation_details
    assert (details.reason, details.feedback, details.comment) == ("cancellation_requested", "too_expensive", "Sorry")
    assert (back.cancel_at_period_end, back.cancel_at, back.canceled_at) == (False, None, None)
    assert api.subscriptions.retrieve(pro.id).status == "active"
    told = desk.news("customer.subscription.updated")
    assert told[1]["data"]["previous_attributes"]["cancel_at_period_end"] is False


def test_an_announced_end_comes(api, ada, pro, desk):
    api.subscriptions.update(pro.id, {"cancel_at_period_end": True})

    desk.to(at(2027, 3, 1))

    ended = api.subscriptions.retrieve(pro.id)
    assert (ended.status, ended.ended_at) == ("canceled", at(2026, 12, 1))
    assert len(desk.news("customer.subscription.deleted")) == 1
    assert len(api.invoices.list({"subscription": pro.id}).data) == 1
    assert api.subscriptions.list({"customer": ada.id}).data == []
    assert len(api.subscriptions.list({"customer": ada.id, "status": "all"}).data) == 1


def test_ending_now_leaves_money_alone_unless_told(api, ada, pro, desk):
    desk.to(START + 15 * DAY)

    api.subscriptions.cancel(pro.id, {"prorate": False, "invoice_now": False})

    assert api.subscriptions.retrieve(pro.id).status == "canceled"
    assert api.customers.retrieve(ada.id).balance == 0
    with pytest.raises(stripe.InvalidRequestError):
        api.subscriptions.cancel(pro.id)


def test_ending_now_can_credit_the_balance(api, ada, pro, desk):
    desk.to(START + 15 * DAY)

    api.subscriptions.cancel(pro.id, {"prorate": True, "invoice_now": True})

    assert api.customers.retrieve(ada.id).balance == -1450
    credit = api.invoices.list({"subscription": pro.id}).data[0]
    assert (credit.total, credit.amount_due, credit.status) == (-1450, 0, "paid")


def test_a_trial_bills_nothing_until_it_ends(api, ada, card, prices, desk):
    card()
    wish = {"customer": ada.id, "items": [{"price": prices["Pro month"]}], "trial_end": START + 10 * DAY}

    made = api.subscriptions.create(wish)
    first = api.invoices.retrieve(made.latest_invoice)
    desk.to(START + 10 * DAY)

    begun = api.subscriptions.retrieve(made.id, {"expand": ["latest_invoice"]})
    assert (made.status, made.trial_end, first.total, first.status) == ("trialing", START + 10 * DAY, 0, "paid")
    assert made["items"].data[0].current_period_end == START + 10 * DAY
    assert (begun.status, begun.latest_invoice.total) == ("active", 2900)
    assert begun["items"].data[0].current_period_end == at(2026, 12, 11)
    assert len(desk.news("customer.subscription.trial_will_end")) == 1


def test_what_cannot_be_subscribed_to_is_refused(api, ada, prices):
    once = api.prices.create({"currency": "usd", "unit_amount": 100, "product_data": {"name": "Once"}}).id
    for items in ([], [{"price": once}], [{"price": "price_none"}]):
        with pytest.raises(stripe.InvalidRequestError):
            api.subscriptions.create({"customer": ada.id, "items": items})


def test_only_a_paused_one_can_be_resumed(api, pro):
    with pytest.raises(stripe.InvalidRequestError, match="paused"):
        api.subscriptions.resume(pro.id)


def test_the_first_whole_period_can_begin_later(api, ada, card, prices, desk):
    card()
    wish = {"customer": ada.id, "items": [{"price": prices["Pro month"]}], "billing_cycle_anchor": START + 15 * DAY}

    made = api.subscriptions.create(wish)
    desk.to(START + 15 * DAY)

    invoices = api.invoices.list({"subscription": made.id}).data
    assert [invoice.total for invoice in invoices] == [2900, 1403]  # 15 of the 31 days before 16 November
    assert api.subscriptions.retrieve(made.id)["items"].data[0].current_period_end == at(2026, 12, 16)


def test_it_can_end_on_a_day_of_choice(api, pro, desk):
    api.subscriptions.update(pro.id, {"cancel_at": START + 10 * DAY})
    kept = api.subscriptions.update(pro.id, {"cancel_at": ""})
    ending = api.subscriptions.update(pro.id, {"cancel_at": START + 12 * DAY})

    desk.to(START + 12 * DAY)

    assert (kept.cancel_at, ending.cancel_at) == (None, START + 12 * DAY)
    assert api.subscriptions.retrieve(pro.id).ended_at == START + 12 * DAY


def test_quantities_items_and_small_things_change(api, pro, prices, desk):
    item = pro["items"].data[0].id
    none = {"proration_behavior": "none"}

    more = api.subscriptions.update(
        pro.id, {"items": [{"id": item, "quantity": 3}], "metadata": {"seats": "3"}, **none}
    )
    both = api.subscriptions.update(pro.id, {"items": [{"price": prices["Growth month"]}], **none})
    with pytest.raises(stripe.InvalidRequestError):
        api.subscriptions.update(pro.id, {"items": [{"price": prices["Pro year"]}]})
    desk.to(at(2026, 12, 1))

    assert (more["items"].data[0].quantity, more.metadata.to_dict()) == (3, {"org": "ada", "seats": "3"})
    assert len(both["items"].data) == 2
    assert api.invoices.list({"subscription": pro.id}).data[0].total == 3 * 2900 + 9900


def test_a_discount_is_given_and_taken_away(api, pro, prices, desk):
    api.coupons.create({"id": "TEN", "percent_off": 10, "duration": "forever"})

    given = api.subscriptions.update(pro.id, {"discounts": [{"coupon": "TEN"}], "expand": ["discounts"]})
    seen = api.invoices.create_preview({"subscription": pro.id})
    taken = api.subscriptions.update(pro.id, {"discounts": ""})

    assert given.discounts[0].source.coupon == "TEN"
    assert (seen.total, seen.total_discount_amounts[0].amount) == (2610, 290)
    assert taken.discounts == []
    assert api.invoices.create_preview({"subscription": pro.id}).total == 2900


def test_prorations_are_of_the_discounted_price(api, ada, card, prices, desk):
    card()
    api.coupons.create({"id": "HALF", "percent_off": 50, "duration": "forever"})
    wish = {"customer": ada.id, "items": [{"price": prices["Pro month"]}], "discounts": [{"coupon": "HALF"}]}
    made = api.subscriptions.create(wish)
    desk.to(START + 15 * DAY)

    item = {"id": made["items"].data[0].id, "price": prices["Growth month"]}
    done = api.subscriptions.update(made.id, {"items": [item], "proration_behavior": "always_invoice"})

    lines = api.invoices.retrieve(done.latest_invoice).lines.data
    assert [line.amount for line in lines] == [-725, 2475]
