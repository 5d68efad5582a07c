"""Changes of a subscription's items: prorated, billed, waited for, undone."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.billing.conftest import DAY, START, at

HALF = START + 15 * DAY  # of a November


def change(api, subscription, price, **more):
    item = api.subscriptions.retrieve(subscription.id)["items"].data[0].id
    wish = {"items": [{"id": item, "price": price}], "proration_behavior": "always_invoice", **more}
    return api.subscriptions.update(subscription.id, wish)


def preview(api, subscription, price, **more):
    item = subscription["items"].data[0].id
    details = {"items": [{"id": item, "price": price}], "proration_behavior": "always_invoice", **more}
    return api.invoices.create_preview({"subscription": subscription.id, "subscription_details": details})


def amounts(invoice):
    return [line.amount for line in invoice.lines.data]


def test_an_upgrade_is_charged_to_the_cent_as_previewed(api, pro, prices, desk):
    desk.to(HALF)

    seen = preview(api, pro, prices["Growth month"], proration_date=HALF)
    done = change(api, pro, prices["Growth month"], proration_date=HALF, payment_behavior="pending_if_incomplete")

    invoice = api.invoices.retrieve(done.latest_invoice)
    assert amounts(seen) == amounts(invoice) == [-1450, 4950]
    assert seen.amount_due == invoice.amount_paid == 3500
    assert (invoice.billing_reason, invoice.status) == ("subscription_update", "paid")
    assert invoice.parent.subscription_details.subscription_proration_date == HALF
    credit = invoice.lines.data[0].parent.subscription_item_details
    assert credit.proration
    assert credit.proration_details.credited_items.invoice == pro.latest_invoice
    assert done.pending_update is None
    item = done["items"].data[0]
    assert (item.id, item.price.id) == (pro["items"].data[0].id, prices["Growth month"])
    assert item.current_period_end == at(2026, 12, 1)
    assert "items" in desk.news("customer.subscription.updated")[-1]["data"]["previous_attributes"]


def test_up_and_down_at_the_same_instant_costs_nothing(api, ada, pro, prices, desk):
    desk.to(START + 7 * DAY + 12_345)

    change(api, pro, prices["Growth month"])
    change(api, pro, prices["Pro month"])

    invoices = api.invoices.list({"subscription": pro.id}).data[:2]
    assert sum(invoice.total for invoice in invoices) == 0
    assert api.customers.retrieve(ada.id).balance == -invoices[1].total


def test_a_credit_on_the_balance_pays_later_invoices(api, ada, card, prices, desk):
    card()
    growth = api.subscriptions.create({"customer": ada.id, "items": [{"price": prices["Growth month"]}]})
    desk.to(HALF)
    change(api, growth, prices["Pro month"])

    desk.to(at(2026, 12, 1))

    renewal = api.invoices.list({"subscription": growth.id}).data[0]
    assert (renewal.total, renewal.starting_balance, renewal.ending_balance) == (2900, -3500, -600)
    assert (renewal.amount_due, renewal.status) == (0, "paid")
    assert api.customers.retrieve(ada.id).balance == -600


@pytest.mark.parametrize("alias", ["pm_card_chargeCustomerFail", "pm_card_authenticationRequired"])
def test_an_unpaid_upgrade_waits_and_the_old_plan_stays(api, pro, prices, bad_card, desk, *, card, alias):
    bad_card(pro, alias)
    desk.to(HALF)

    waiting = change(api, pro, prices["Growth month"], payment_behavior="pending_if_incomplete")
    invoice = api.invoices.retrieve(waiting.latest_invoice)
    good = card()
    api.invoices.pay(invoice.id, {"payment_method": good})

    assert (waiting.status, waiting["items"].data[0].price.id) == ("active", prices["Pro month"])
    assert waiting.pending_update.subscription_items[0].price.id == prices["Growth month"]
    assert waiting.pending_update.expires_at == HALF + 23 * 3600
    assert (invoice.status, invoice.next_payment_attempt) == ("open", None)
    done = api.subscriptions.retrieve(pro.id)
    assert (done["items"].data[0].price.id, done.pending_update) == (prices["Growth month"], None)
    assert len(desk.news("customer.subscription.pending_update_applied")) == 1


def test_an_upgrade_nobody_pays_expires_and_its_invoice_is_voided(api, pro, prices, bad_card, desk):
    bad_card(pro)
    desk.to(HALF)
    waiting = change(api, pro, prices["Growth month"], payment_behavior="pending_if_incomplete")

    desk.to(HALF + 23 * 3600)

    after = api.subscriptions.retrieve(pro.id)
    assert (after.pending_update, after["items"].data[0].price.id) == (None, prices["Pro month"])
    assert after.latest_invoice == pro.latest_invoice
    assert api.invoices.retrieve(waiting.latest_invoice).status == "void"
    assert len(desk.news("customer.subscription.pending_update_expired")) == 1
    assert len(desk.news("invoice.voided")) == 1


def test_voiding_its_invoice_takes_a_waiting_change_back(api, pro, prices, bad_card, desk):
    bad_card(pro)
    waiting = change(api, pro, prices["Growth month"], payment_behavior="pending_if_incomplete")

    api.invoices.void_invoice(waiting.latest_invoice)

    assert api.subscriptions.retrieve(pro.id).pending_update is None


def test_an_unpaid_upgrade_that_does_not_wait_leaves_it_past_due(api, pro, prices, bad_card):
    bad_card(pro)

    done = change(api, pro, prices["Growth month"])
    with pytest.raises(stripe.CardError):
        change(api, pro, prices["Pro year"], payment_behavior="error_if_incomplete")

    assert (done.status, done["items"].data[0].price.id) == ("past_due", prices["Growth month"])
    assert api.subscriptions.retrieve(pro.id)["items"].data[0].price.id == prices["Growth month"]


def test_from_month_to_year_the_year_begins_at_once(api, pro, prices, desk):
    desk.to(HALF)

    seen = preview(api, pro, prices["Pro year"], proration_date=HALF)
    done = change(api, pro, prices["Pro year"], proration_date=HALF)

    assert amounts(seen) == [-1450, 29000]
    assert api.invoices.retrieve(done.latest_invoice).amount_paid == seen.amount_due == 27550
    item = done["items"].data[0]
    assert (done.billing_cycle_anchor, item.current_period_start) == (HALF, HALF)
    assert item.current_period_end == at(2027, 11, 16)


def test_prorations_can_wait_for_the_renewal(api, pro, prices, desk):
    desk.to(HALF)

    change(api, pro, prices["Growth month"], proration_behavior="create_prorations")
    seen = api.invoices.create_preview({"subscription": pro.id})
    desk.to(at(2026, 12, 1))

    renewal = api.invoices.list({"subscription": pro.id}).data[0]
    assert amounts(seen) == amounts(renewal) == [-1450, 4950, 9900]
    assert seen.amount_due == renewal.amount_paid == 13400
    assert len(api.invoices.list({"subscription": pro.id}).data) == 2


def test_without_proration_only_the_next_period_is_dearer(api, pro, prices, desk):
    desk.to(HALF)

    change(api, pro, prices["Growth month"], proration_behavior="none")
    desk.to(at(2026, 12, 1))

    assert [invoice.total for invoice in api.invoices.list({"subscription": pro.id}).data] == [9900, 2900]


def test_a_preview_of_an_end_shows_what_would_not_be_used(api, pro, desk):
    desk.to(HALF)

    seen = api.invoices.create_preview(
        {
            "subscription": pro.id,
            "subscription_details": {
                "cancel_now": True,
                "proration_behavior": "always_invoice",
                "proration_date": HALF,
            },
        }
    )

    line = seen.lines.data[0]
    assert (line.amount, seen.total) == (-1450, -1450)
    assert line.parent.subscription_item_details.proration_details.credited_items.invoice == pro.latest_invoice
    assert len(api.invoices.list({"subscription": pro.id}).data) == 1


def test_what_cannot_go_with_a_waiting_change_is_refused(api, pro, prices):
    with pytest.raises(stripe.InvalidRequestError, match="metadata"):
        change(api, pro, prices["Growth month"], payment_behavior="pending_if_incomplete", metadata={"a": "b"})


class TestWithTax:
    @pytest.fixture
    def tax(self):
        return 900

    def test_credits_and_debits_carry_their_tax(self, api, ada, card, prices, desk):
        card()
        pro = api.subscriptions.create(
            {"customer": ada.id, "items": [{"price": prices["Pro month"]}], "automatic_tax": {"enabled": True}}
        )
        first = api.invoices.retrieve(pro.latest_invoice)
        desk.to(HALF)

        seen = preview(api, pro, prices["Growth month"], proration_date=HALF)

        assert (first.total, first.total_taxes[0].amount, first.lines.data[0].taxes[0].amount) == (3161, 261, 261)
        assert [line.taxes[0].amount for line in seen.lines.data] == [-131, 446]
        assert (seen.total_taxes[0].amount, seen.total) == (315, 3815)
