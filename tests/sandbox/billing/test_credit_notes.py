"""Credit notes: unused time given back to the card with its tax, and never more than was paid."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.billing.conftest import DAY, START

HALF = START + 15 * DAY


@pytest.fixture
def tax():
    return 825


@pytest.fixture
def taxed(api, ada, card, prices):
    card()
    return api.subscriptions.create(
        {"customer": ada.id, "items": [{"price": prices["Pro month"]}], "automatic_tax": {"enabled": True}}
    )


@pytest.fixture
def part(api, taxed):
    """The wish for an amount of the first invoice's line."""
    invoice = api.invoices.retrieve(taxed.latest_invoice)

    def wish(amount):
        line = {"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id, "amount": amount}
        return {"invoice": invoice.id, "lines": [line]}

    return wish


def test_the_unused_half_goes_back_to_the_card(api, taxed, part, desk):
    desk.to(HALF)
    details = {"cancel_now": True, "proration_behavior": "always_invoice", "proration_date": HALF}
    seen = api.invoices.create_preview({"subscription": taxed.id, "subscription_details": details})
    api.subscriptions.cancel(taxed.id, {"prorate": False, "invoice_now": False})

    wish = part(-seen.lines.data[0].amount)
    preview = api.credit_notes.preview(wish)
    note = api.credit_notes.create({**wish, "refund_amount": preview.total, "reason": "order_change"})

    assert (preview.total, -seen.total) == (1570, 1570)
    assert (note.subtotal, note.total_taxes[0].amount, note.total, note.type) == (1450, 120, 1570, "post_payment")
    refund = api.refunds.retrieve(note.refunds[0].refund)
    assert (refund.amount, refund.status, note.refunds[0].amount_refunded) == (1570, "succeeded", 1570)
    assert api.invoices.retrieve(taxed.latest_invoice).post_payment_credit_notes_amount == 1570
    assert [each.id for each in api.credit_notes.list({"invoice": taxed.latest_invoice}).data] == [note.id]
    assert [event["type"] for event in desk.news("credit_note.created", "refund.created")] == [
        "refund.created",
        "credit_note.created",
    ]


def test_all_parts_of_a_line_add_up_to_its_tax(api, taxed, part):
    totals = []
    for amount in (1, 1000, 1899):
        wish = part(amount)
        total = api.credit_notes.preview(wish).total
        totals.append(total)
        api.credit_notes.create({**wish, "refund_amount": total})

    assert sum(totals) == api.invoices.retrieve(taxed.latest_invoice).amount_paid == 3139
    with pytest.raises(stripe.InvalidRequestError, match="at most"):
        api.credit_notes.preview(part(1))


def test_it_can_credit_the_balance_instead(api, ada, taxed, part):
    wish = part(1000)

    note = api.credit_notes.create({**wish, "credit_amount": 1082})

    assert api.customers.retrieve(ada.id).balance == -1082
    entries = api.customers.balance_transactions.list(ada.id).data
    assert [(each.amount, each.type, each.credit_note) for each in entries] == [(-1082, "credit_note", note.id)]


def test_its_parts_must_add_up(api, part):
    with pytest.raises(stripe.InvalidRequestError, match="must equal"):
        api.credit_notes.create({**part(1000), "refund_amount": 1000})


def test_less_is_due_of_an_invoice_that_is_still_open(api, taxed, bad_card, card, desk):
    bad_card(taxed)
    desk.to(START + 30 * DAY)
    invoice = api.invoices.list({"subscription": taxed.id, "status": "open"}).data[0]
    line = {"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id, "amount": 1900}

    note = api.credit_notes.create({"invoice": invoice.id, "lines": [line]})
    paid = api.invoices.pay(invoice.id, {"payment_method": card()})

    assert (note.type, note.total) == ("pre_payment", 2057)
    assert (paid.amount_paid, paid.pre_payment_credit_notes_amount) == (3139 - 2057, 2057)


def test_the_rate_has_a_name(api, taxed):
    invoice = api.invoices.retrieve(taxed.latest_invoice)

    rate = api.tax_rates.retrieve(invoice.total_taxes[0].tax_rate_details.tax_rate)

    assert (rate.display_name, str(rate.percentage)) == ("Sales tax", "8.25")
