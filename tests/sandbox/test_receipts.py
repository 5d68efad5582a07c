"""Receipts: the invoice of a one-time checkout, by API and as a page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.pages import page_faults


@pytest.fixture
def paid(api: Any, visitor: Any, top_up: Any) -> Any:
    session = top_up(
        invoice_creation={"enabled": True, "invoice_data": {"metadata": {"of": "invoice"}, "description": "Thanks"}}
    )
    visitor.post(session.url, data={"method": "4242424242424242"})
    return api.checkout.sessions.retrieve(session.id)


def test_a_paid_checkout_leaves_a_paid_invoice(api, ada, paid):
    invoice = api.invoices.retrieve(paid.invoice, {"expand": ["payments"]})

    assert (invoice.status, invoice.amount_paid, invoice.total, invoice.amount_remaining) == ("paid", 5000, 5000, 0)
    assert (invoice.customer, invoice.description, invoice.metadata.to_dict()) == (ada.id, "Thanks", {"of": "invoice"})
    assert sum(line.amount for line in invoice.lines.data) == invoice.subtotal
    assert invoice.payments.data[0].payment.payment_intent == paid.payment_intent
    assert [each.id for each in api.invoices.list({"customer": ada.id, "status": "paid"}).data] == [invoice.id]
    assert api.invoices.line_items.list(invoice.id).data[0].description == "Wallet top-up"


def test_the_payment_of_an_invoice_is_found_both_ways(api, paid):
    by_invoice = api.invoice_payments.list({"invoice": paid.invoice, "status": "paid"}).data
    by_payment = api.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": paid.payment_intent}}
    ).data

    assert [each.id for each in by_invoice] == [each.id for each in by_payment]
    assert api.invoice_payments.retrieve(by_invoice[0].id).amount_paid == 5000


def test_invoices_of_a_customer_are_numbered_in_a_row(api, visitor, top_up):
    for _ in range(2):
        session = top_up(invoice_creation={"enabled": True})
        visitor.post(session.url, data={"method": "4242424242424242"})

    numbers = [invoice.number for invoice in api.invoices.list().data]
    assert [number.rpartition("-")[2] for number in numbers] == ["0002", "0001"]


def test_its_news_goes_out(paid, sandbox, receiver):
    sandbox.deliver()

    assert receiver.only("invoice.created").data.object.status == "draft"
    assert receiver.only("invoice_payment.paid").data.object.invoice == paid.invoice
    for kind in ("invoice.finalized", "invoice.paid", "invoice.payment_succeeded"):
        assert receiver.only(kind).data.object.id == paid.invoice


def test_a_bank_debit_gets_its_invoice_when_it_is_paid(api, visitor, top_up, sandbox):
    session = top_up(invoice_creation={"enabled": True})
    visitor.post(session.url, data={"method": "000123456789"})
    before = api.checkout.sessions.retrieve(session.id).invoice

    sandbox.advance(3 * 86400)

    assert before is None
    assert api.invoices.retrieve(api.checkout.sessions.retrieve(session.id).invoice).status == "paid"


def test_no_invoice_unless_it_was_asked_for(api, visitor, top_up):
    session = top_up()
    visitor.post(session.url, data={"method": "4242424242424242"})

    assert api.checkout.sessions.retrieve(session.id).invoice is None
    assert api.invoices.list().data == []


def test_both_have_a_page(api, visitor, paid, sandbox):
    invoice = visitor.get(api.invoices.retrieve(paid.invoice).hosted_invoice_url)
    charge = api.payment_intents.retrieve(paid.payment_intent, {"expand": ["latest_charge"]}).latest_charge
    receipt = visitor.get(charge.receipt_url)

    assert "Wallet top-up" in invoice.text
    assert "$50.00" in invoice.text
    assert "$50.00" in receipt.text
    assert not page_faults(sandbox.app, invoice.text)
    assert not page_faults(sandbox.app, receipt.text)
