"""Money back in a real browser: refunds inside and outside the window, a chargeback, and a top-up that fills its hole.

One wallet, one server in this process, the sandbox as its provider: each step goes on where the last one ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session, sessionmaker

from app import ledger
from app.config import Settings
from app.customers import customers
from app.db import transaction
from app.flows import top_up
from app.sandbox.engine import disputes
from app.sandbox.server import Running
from app.wallet import debit
from app.wallet.accounts import wallet_of
from tests.support.card_paid import Cardholder
from tests.support.people import Person
from tests.support.time import Clock


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # one database is enough to look at pages


@pytest.fixture
def settings(settings: Settings, provider_at_rest: Running) -> Settings:
    return replace(settings, stripe_api_base=provider_at_rest.url)


@pytest.fixture
def payer(
    session: Session, sessions: sessionmaker[Session], provider_at_rest: Running, clock: Clock, ada: Person
) -> Cardholder:
    """Ada's company, before the provider's page."""
    customer = customers.by_id(session, ada.customer_id)
    assert customer is not None
    return Cardholder(session, sessions, provider_at_rest, clock, customer)


def tops_up(payer: Cardholder, cents: int) -> None:
    """Paid on the provider's page, and heard."""
    how: dict[str, Any] = {"form_key": payer.form(), "return_url": "https://x.example/", "actor": "usr_1"}
    order = top_up.start(payer.session, payer.stripe, payer.customer, cents, **how)
    payer.pays(order)
    payer.hears()


def disputed(payer: Cardholder, then: Callable[[Any, Any], Any] | None = None) -> None:
    """The bank takes back the newest payment, or decides about it."""
    with payer.sandbox.sandbox.writing() as tx:
        if then is None:
            disputes.begin(tx, tx.every("charge")[0])
        else:
            then(tx, tx.every("dispute")[0])
    payer.hears()


@pytest.mark.slow
def test_money_goes_back_and_a_chargeback_freezes_until_its_hole_is_filled(
    page: Page, ada: Person, finance: Person, payer: Cardholder, sign_in: Callable[[Person], None], address: str
) -> None:
    said = page.locator("body")

    # Inside the window: another sum shows its bill first; the provider confirms, and its receipt is credited.
    tops_up(payer, 5000)
    sign_in(ada)
    page.goto(f"{address}/wallet")
    page.get_by_role("link", name="Refund the top-up of").click()
    page.get_by_label("Amount to take out of the wallet").fill("20")
    page.get_by_role("button", name="Refund $50.00").click()
    page.get_by_role("button", name="Refund $20.00").click()
    expect(said).to_contain_text("$20.00 is on its way back to you")
    payer.hears()
    page.goto(f"{address}/wallet")
    expect(page.locator("#ledger tbody tr").first).to_contain_text("Paid back")
    expect(page.locator("#balance")).to_contain_text("$35.00")  # with the welcome credit of $5
    assert payer.refunded() == 2000
    page.goto(f"{address}/invoices")
    page.locator("main table tbody a").first.click()
    expect(page.locator("#credit-notes")).to_contain_text("−$20.00")

    # Outside it: refused in words, asked for instead, and approved by staff.
    late = page_of_the_refund(payer, ada)
    payer.clock.advance(days=8)
    sign_in(ada)
    page.goto(f"{address}{late}")
    expect(said).to_contain_text("more than seven days old")
    page.goto(f"{address}/wallet")
    expect(page.get_by_role("link", name="Refund the top-up of")).to_have_count(0)
    page.get_by_role("link", name="Ask for your balance").click()
    page.get_by_role("button", name="Ask for $30.00").click()
    expect(said).to_contain_text("You have asked for your balance")
    expect(page.locator("#balance")).to_contain_text("$35.00")
    sign_in(finance)
    page.goto(f"{address}/admin/refunds")
    page.locator("main table tbody a").first.click()
    page.get_by_role("button", name="Pay $30.00 back").click()
    payer.hears()
    sign_in(ada)
    page.goto(f"{address}/wallet")
    expect(page.locator("#balance")).to_contain_text("$5.00")
    assert payer.refunded() == 5000

    # A chargeback of what is mostly spent: frozen, with its reason, and what is missing once it is lost.
    tops_up(payer, 5000)
    with transaction(payer.session):
        debit.debit(payer.session, ada.customer_id, 45_000_000, description="Work", key="spent", by="key_1")
    disputed(payer)
    page.goto(f"{address}/wallet")
    expect(said).to_contain_text("Your wallet is frozen")
    expect(said).to_contain_text("Your payment of $50.00 was disputed with the bank")
    disputed(payer, disputes.lose)
    page.goto(f"{address}/wallet")
    expect(said).to_contain_text("$40.00 is missing. Add that much, and you can spend again.")

    # The top-up that fills the hole frees it.
    tops_up(payer, 6000)
    page.goto(f"{address}/wallet")
    expect(page.locator("#balance")).to_contain_text("$20.00")
    expect(said).not_to_contain_text("frozen")


def page_of_the_refund(payer: Cardholder, ada: Person) -> str:
    """Where the newest top-up is refunded, as a link that was kept would say."""
    with transaction(payer.session):
        [line] = ledger.history(payer.session, wallet_of(ada.customer_id), kinds=["topup"], limit=1)
    return f"/wallet/refunds/{line.entry_id}"
