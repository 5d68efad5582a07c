"""Renewals: every period billed once, in order, and what happens when nobody pays."""

from __future__ import annotations

import pytest
import stripe

from app.sandbox.engine.calendar import later, period_at
from tests.sandbox.billing.conftest import DAY, START, at

DECEMBER = at(2026, 12, 1)


def test_a_jump_over_a_year_renews_each_month_in_order(api, pro, desk):
    desk.to(at(2027, 11, 1))

    invoices = api.invoices.list({"subscription": pro.id, "limit": 100}).data[::-1]
    periods = [(each.lines.data[0].period.start, each.lines.data[0].period.end) for each in invoices]
    assert len(invoices) == 13
    assert [start for start, _ in periods[1:]] == [end for _, end in periods[:-1]]
    assert [each.created for each in invoices] == [start for start, _ in periods]
    assert {each.status for each in invoices} == {"paid"}
    assert [each.number[-4:] for each in invoices] == [f"{number:04d}" for number in range(1, 14)]
    assert len(desk.news("invoice.upcoming")) == 12


def test_a_renewal_is_told(api, pro, desk):
    desk.to(DECEMBER)

    kinds = desk.kinds(since=DECEMBER)
    updated = desk.news("customer.subscription.updated")[-1]["data"]
    for kind in ("invoice.created", "invoice.finalized", "invoice.paid", "invoice_payment.paid", "charge.succeeded"):
        assert kinds.count(kind) == 1
    assert set(updated["previous_attributes"]) == {"items", "latest_invoice"}
    renewal = api.invoices.list({"subscription": pro.id}).data[0]
    assert (renewal.billing_reason, renewal.period_start, renewal.period_end) == ("subscription_cycle", START, DECEMBER)


def test_an_unpaid_renewal_is_tried_four_times_more_and_then_it_ends(api, pro, bad_card, desk):
    bad_card(pro)

    desk.to(DECEMBER)
    invoice = api.subscriptions.retrieve(pro.id, {"expand": ["latest_invoice"]}).latest_invoice
    first = (api.subscriptions.retrieve(pro.id).status, invoice.status, invoice.attempt_count)
    tries = []
    while due := api.invoices.retrieve(invoice.id).next_payment_attempt:
        tries.append((due - DECEMBER) // DAY)
        desk.to(due)

    assert first == ("past_due", "open", 1)
    assert tries == [2, 7, 14, 21]
    ended = api.subscriptions.retrieve(pro.id)
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert ended.ended_at == DECEMBER + 21 * DAY
    assert len(desk.news("invoice.payment_failed")) == 5
    assert len(desk.news("customer.subscription.deleted")) == 1
    assert api.invoices.retrieve(invoice.id).status == "open"


def test_another_card_heals_it_at_the_next_try(api, pro, bad_card, card, desk):
    bad_card(pro)
    desk.to(DECEMBER)

    api.subscriptions.update(pro.id, {"default_payment_method": card()})
    desk.to(DECEMBER + 2 * DAY)

    now = api.subscriptions.retrieve(pro.id, {"expand": ["latest_invoice"]})
    assert (now.status, now.latest_invoice.status, now.latest_invoice.attempt_count) == ("active", "paid", 2)
    assert desk.news("customer.subscription.updated")[-1]["data"]["previous_attributes"] == {"status": "past_due"}


def test_paying_by_hand_heals_it_too_and_a_refusal_is_told(api, pro, bad_card, card, desk):
    bad = bad_card(pro)
    desk.to(DECEMBER)
    invoice = api.subscriptions.retrieve(pro.id).latest_invoice

    with pytest.raises(stripe.CardError) as refusal:
        api.invoices.pay(invoice, {"payment_method": bad})
    between = api.invoices.retrieve(invoice)
    paid = api.invoices.pay(invoice, {"payment_method": card(), "expand": ["payments"]})

    assert (refusal.value.http_status, refusal.value.code) == (402, "card_declined")
    assert between.next_payment_attempt == DECEMBER + 2 * DAY
    assert (paid.status, paid.payments.data[0].status) == ("paid", "paid")
    assert api.subscriptions.retrieve(pro.id).status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        api.invoices.pay(invoice)


def test_a_card_that_always_asks_needs_the_person(api, pro, bad_card, desk):
    asking = bad_card(pro, "pm_card_authenticationRequired")
    desk.to(DECEMBER)
    invoice = api.subscriptions.retrieve(pro.id).latest_invoice

    with pytest.raises(stripe.CardError) as refusal:
        api.invoices.pay(invoice, {"payment_method": asking})

    assert refusal.value.code == "invoice_payment_intent_requires_action"
    assert api.subscriptions.retrieve(pro.id).status == "past_due"
    assert len(desk.news("invoice.payment_action_required")) == 2


def test_a_card_that_is_removed_pays_no_more_and_the_default_does(api, ada, pro, bad_card, desk):
    gone = bad_card(pro)

    api.payment_methods.detach(gone)
    desk.to(DECEMBER)

    now = api.subscriptions.retrieve(pro.id)
    assert (now.default_payment_method, now.status) == (None, "active")
    assert gone not in [each.id for each in api.payment_methods.list({"customer": ada.id}).data]


def test_without_any_card_it_is_past_due(api, ada, pro, desk):
    for method in api.customers.payment_methods.list(ada.id).data:
        api.payment_methods.detach(method.id)

    desk.to(DECEMBER)

    assert api.subscriptions.retrieve(pro.id).status == "past_due"


def test_an_invoice_can_be_given_up_or_voided(api, pro, bad_card, desk):
    bad_card(pro)
    desk.to(DECEMBER)
    invoice = api.subscriptions.retrieve(pro.id).latest_invoice

    given_up = api.invoices.mark_uncollectible(invoice)
    voided = api.invoices.void_invoice(invoice)

    assert (given_up.status, voided.status, voided.next_payment_attempt) == ("uncollectible", "void", None)
    assert api.subscriptions.retrieve(pro.id).status == "active"
    with pytest.raises(stripe.InvalidRequestError):
        api.invoices.void_invoice(invoice)


@pytest.mark.parametrize(
    ("anchor", "interval", "wanted"),
    [
        (at(2027, 1, 31), "month", [at(2027, 2, 28), at(2027, 3, 31), at(2027, 4, 30), at(2027, 5, 31)]),
        (at(2027, 8, 29), "month", [at(2027, 9, 29), at(2027, 10, 29), at(2027, 11, 29), at(2027, 12, 29)]),
        (at(2028, 2, 29), "year", [at(2029, 2, 28), at(2030, 2, 28), at(2031, 2, 28), at(2032, 2, 29)]),
        (at(2027, 1, 1), "week", [at(2027, 1, 8), at(2027, 1, 15), at(2027, 1, 22), at(2027, 1, 29)]),
    ],
)
def test_periods_never_drift(anchor, interval, wanted):
    ends, instant = [], anchor
    for _ in wanted:
        _, instant = period_at(anchor, interval, 1, instant)
        ends.append(instant)

    assert ends == wanted
    assert period_at(anchor, interval, 1, wanted[0] - 1) == (anchor, wanted[0])
    assert later(anchor, interval, 4) == wanted[-1]


class TestWithDrafts:
    @pytest.fixture
    def draft_for(self):
        return 3600

    def test_an_invoice_stays_a_draft_for_an_hour_if_so_configured(self, api, pro, desk):
        desk.to(DECEMBER)
        draft = api.invoices.list({"subscription": pro.id}).data[0]
        desk.to(DECEMBER + 3600)

        paid = api.invoices.retrieve(draft.id)
        assert (draft.status, draft.number, draft.automatically_finalizes_at) == ("draft", None, DECEMBER + 3600)
        assert (paid.status, paid.status_transitions.finalized_at) == ("paid", DECEMBER + 3600)
