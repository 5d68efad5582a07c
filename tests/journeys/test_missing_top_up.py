"""Where is my top-up? Staff find a customer by the card, see what went wrong, replay it, and see the money."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from app.flows import top_up
from app.payments import inbox
from tests.support.card_paid import Cardholder


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough: what is replayed is tested on both."""
    return sqlite_url


@pytest.fixture
def stuck(cardholder: Cardholder) -> None:
    """They have paid $50; the webhook came while the worker had no key of Stripe's, and was given up after hours."""
    order = top_up.start(
        cardholder.session, cardholder.stripe, cardholder.customer, 5000, form_key="f",
        return_url="https://x.example/", actor="usr_1",
    )  # fmt: skip
    cardholder.pays(order)
    news = cardholder.news()
    cardholder.hears(news=[one for one in news if one["type"] == "charge.succeeded"])
    configured, cardholder.providers = cardholder.providers, {}
    cardholder.hears(news=[one for one in news if one["type"] == "checkout.session.completed"])
    for _ in range(inbox.MOST_ATTEMPTS):
        cardholder.clock.advance(hours=2)
        cardholder.applies()
    cardholder.providers = configured


def test_staff_find_them_by_the_card_and_bring_the_money(
    stuck: None, cardholder: Cardholder, sign_in, finance, address: str, page: Page
) -> None:
    sign_in(finance)
    # The customer read the last four digits out on the phone.
    page.goto(f"{address}/admin/customers")
    page.get_by_role("searchbox").fill("4242")
    page.get_by_role("button", name="Find").click()
    row = page.get_by_role("row").filter(has_text="Visa ending 4242")
    row.get_by_role("link", name=cardholder.customer.name).click()

    # Their page says in a sentence what happened, and leads to the webhook.
    expect(page.locator("#wallet-bill")).to_contain_text("$0.00")
    orders = page.locator("#orders")
    expect(orders).to_contain_text("Not applied")
    expect(orders).to_contain_text("given up: The channel stripe is not configured here.")
    orders.get_by_role("link", name="Open the webhook").click()

    # The key is back; the webhook is applied again.
    event = page.locator("#event")
    expect(event).to_contain_text("Gave up")
    event.get_by_role("button", name="Replay").click()
    expect(event).to_contain_text("Applied in a moment")
    cardholder.applies()
    expect(event).to_contain_text("Wallet credited")

    page.goto(f"{address}/admin/customers/{cardholder.customer_id}")
    expect(page.locator("#wallet-bill")).to_contain_text("$50.00")
    expect(page.locator("#orders")).not_to_contain_text("Not applied")
    expect(page.locator("#latest")).to_contain_text("Payment received")
