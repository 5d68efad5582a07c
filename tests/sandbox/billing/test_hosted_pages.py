"""The hosted invoice page and the portal, used as a browser without script uses them."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.sandbox.billing.conftest import at
from tests.support.pages import page_faults

DECEMBER = at(2026, 12, 1)


@pytest.fixture
def overdue(api, ada, prices, bad_card, card, desk):
    """A subscription that keeps the card it is paid with, and its renewal that nobody has paid."""
    card()
    keeps = {"payment_settings": {"save_default_payment_method": "on_subscription"}}
    pro = api.subscriptions.create({"customer": ada.id, "items": [{"price": prices["Pro month"]}], **keeps})
    bad_card(pro)
    desk.to(DECEMBER)
    return api.subscriptions.retrieve(pro.id, {"expand": ["latest_invoice"]})


@pytest.fixture
def portal(api, ada):
    def open_portal(**more):
        return api.billing_portal.sessions.create({"customer": ada.id, "return_url": "http://shop.example/", **more})

    return open_portal


def test_an_open_invoice_is_paid_with_a_test_card(api, overdue, desk):
    url = overdue.latest_invoice.hosted_invoice_url

    page = desk.get(url)
    refused = desk.post(url, number="4000 0000 0000 9995")
    wrong = desk.post(url, number="4111 1111 1111 1111")
    desk.post(url, method="4242424242424242")
    after = desk.get(url)

    assert "Pay $29.00" in page.text
    assert not page_faults(desk.app, page.text)
    assert refused.status_code == 402
    assert "insufficient funds" in refused.text
    assert wrong.status_code == 422
    assert "not paid yet" not in after.text
    assert not page_faults(desk.app, after.text)
    now = api.subscriptions.retrieve(overdue.id)
    assert (now.status, api.invoices.retrieve(overdue.latest_invoice.id).status) == ("active", "paid")
    assert api.payment_methods.retrieve(now.default_payment_method).card.last4 == "4242"


@pytest.mark.parametrize(("answer", "status"), [("approve", "paid"), ("fail", "open")])
def test_3d_secure_is_asked_on_the_way(api, overdue, desk, *, answer, status):
    url = overdue.latest_invoice.hosted_invoice_url

    asked = desk.post(url, method="4000002500003155")
    question = desk.get(url + "/authenticate")
    desk.post(url + "/authenticate", answer=answer)

    assert asked.headers["Location"].endswith("/authenticate")
    assert "$29.00" in question.text
    assert not page_faults(desk.app, question.text)
    assert api.invoices.retrieve(overdue.latest_invoice.id).status == status


def test_paying_for_a_waiting_change_applies_it(api, pro, prices, bad_card, desk):
    bad_card(pro, "pm_card_authenticationRequired")
    item = pro["items"].data[0].id
    wish = {"items": [{"id": item, "price": prices["Growth month"]}], "proration_behavior": "always_invoice"}
    waiting = api.subscriptions.update(
        pro.id, {**wish, "payment_behavior": "pending_if_incomplete", "expand": ["latest_invoice.confirmation_secret"]}
    )
    url = waiting.latest_invoice.hosted_invoice_url

    desk.post(url, method="4000002500003155")
    desk.post(url + "/authenticate", answer="approve")

    now = api.subscriptions.retrieve(pro.id)
    assert waiting.latest_invoice.confirmation_secret.type == "payment_intent"
    assert (now.pending_update, now["items"].data[0].price.id) == (None, prices["Growth month"])


def test_an_invoice_can_be_kept_as_a_file(pro, api, desk):
    invoice = api.invoices.retrieve(pro.latest_invoice)

    file = desk.get(invoice.invoice_pdf)

    assert file.mimetype == "application/pdf"
    assert file.data.startswith(b"%PDF-1.4")
    assert b"No money moved" in file.data
    assert invoice.number.encode() in file.data


def test_a_voided_invoice_says_that_nothing_is_owed(api, overdue, desk):
    api.invoices.void_invoice(overdue.latest_invoice.id)

    page = desk.get(overdue.latest_invoice.hosted_invoice_url)

    assert "Nothing is owed for it" in page.text
    assert "Pay with" not in page.text
    assert desk.post(overdue.latest_invoice.hosted_invoice_url, method="4242424242424242").status_code == 303


def test_the_portal_shows_subscriptions_and_invoices(api, overdue, portal, desk):
    page = desk.get(portal().url)

    assert "Pro" in page.text
    assert "past due" in page.text
    assert f"Pay {overdue.latest_invoice.number}" in page.text
    assert urlsplit(overdue.latest_invoice.hosted_invoice_url).path in page.text
    assert not page_faults(desk.app, page.text)


def test_the_portal_ends_a_subscription_and_keeps_it_again(api, pro, portal, desk):
    url = portal().url

    desk.post(f"{url}/subscriptions/{pro.id}/cancel")
    ending, page = api.subscriptions.retrieve(pro.id), desk.get(url)
    desk.post(f"{url}/subscriptions/{pro.id}/resume")
    kept = api.subscriptions.retrieve(pro.id)

    assert (ending.cancel_at_period_end, ending.cancel_at) == (True, DECEMBER)
    assert "Keep" in page.text
    assert (kept.cancel_at_period_end, kept.cancel_at) == (False, None)


def test_a_card_made_default_in_the_portal_pays_the_subscription(api, overdue, portal, desk):
    url = portal(flow_data={"type": "payment_method_update"}).url

    desk.post(f"{url}/cards", number="5555 5555 5555 4444")

    method = api.subscriptions.retrieve(overdue.id).default_payment_method
    assert api.payment_methods.retrieve(method).card.last4 == "4444"


def test_nobody_ends_what_is_not_theirs(api, pro, prices, portal, desk):
    other = api.customers.create({"name": "Bo"}).id
    url = portal(customer=other).url

    assert desk.post(f"{url}/subscriptions/{pro.id}/cancel").status_code == 404
    assert api.subscriptions.retrieve(pro.id).cancel_at_period_end is False


def test_the_console_lists_subscriptions_and_invoices(api, overdue, desk):
    page = desk.get("/payments")

    assert overdue.id in page.text
    assert "past due" in page.text
    assert "next try" in page.text
    assert overdue.latest_invoice.number in page.text
    assert not page_faults(desk.app, page.text)
