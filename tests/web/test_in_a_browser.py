"""The pages in a real browser: no sideways scroll, nothing for axe to object to, and what moves by itself."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app import clock, credits
from app.db import transaction
from tests.support.looks import look_at

PAGES = [
    "/",
    "/usage",
    "/usage?view=table",
    "/wallet",
    "/wallet?type=topup",
    "/wallet?amount=9.99",
    "/credits",
    "/profile",
    "/team",
    "/api-keys",
    "/invoices",
    "/invoices/buyer",
    "/gallery/parts",
    "/gallery/overview-credits-open",
]


def has_credits(who):
    with transaction(who.session):
        ends = clock.now() + timedelta(days=9)
        told = {"source": "checkin", "key": "checkin:1", "actor": "system", "expires_at": ends}
        credits.grant(who.session, who.customer_id, 1_000, **told)
        credits.spend(who.session, who.customer_id, "draw", key="k", actor="key_1")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_are_accessible(page, ada, uses, order_of, invoice_for, sign_in, address, till, scheme):
    uses(ada, "calls", 1_300, "store.example")
    has_credits(ada)
    waiting = [f"/wallet/topups/{order_of(ada, state).id}" for state in ("open", "failed", "paid")]
    waiting.append(f"/invoices/{invoice_for(ada, 123_456_789, state='failed').id}")
    sign_in(ada)
    page.emulate_media(color_scheme=scheme)

    for path in ["/sign-in", "/sign-up", *PAGES, *waiting]:
        page.goto(address + path)
        look_at(page, widths=(390, 1280))


def test_what_is_typed_changes_what_the_button_says(page, ada, sign_in, address, till):
    sign_in(ada)
    page.goto(address + "/wallet")

    page.fill("#custom", "75")

    page.get_by_role("button", name="Pay $75.00").wait_for()
    assert page.locator("input[name=amount]:checked").count() == 0

    page.locator("label", has_text="$100").click()

    page.get_by_role("button", name="Pay $100.00").wait_for()
    assert page.input_value("#custom") == ""


@pytest.mark.parametrize("javascript", [False])
def test_without_script_the_button_names_no_sum_it_could_not_keep(page, ada, sign_in, address, till, javascript):
    sign_in(ada)
    page.goto(address + "/wallet")

    button = page.locator("#quote button")

    assert button.inner_text() == "Go to payment"
    assert not page.locator("#quote .bill").is_visible()


def test_filters_and_paging_swap_the_table_and_keep_their_address(page, session, ada, sign_in, address, till):
    for _ in range(60):
        ada.gets(1_000)
    sign_in(ada)
    page.goto(address + "/wallet")
    page.evaluate("document.body.dataset.kept = 'yes'")

    page.get_by_role("link", name="Older").click()
    page.get_by_role("cell", name="Welcome credit").wait_for()
    assert "before=" in page.url
    page.select_option("#type", "credit")
    page.get_by_text("1 transaction, newest first").wait_for()

    assert "type=credit" in page.url
    assert page.evaluate("document.body.dataset.kept") == "yes"
    page.go_back()
    page.get_by_role("cell", name="Welcome credit").wait_for()


def test_the_meter_s_days_turn_into_a_table_and_keep_their_address(page, ada, uses, sign_in, address):
    uses(ada, "calls", 300)
    uses(ada, "runs", 3)
    sign_in(ada)
    page.goto(address + "/usage")
    page.evaluate("document.body.dataset.kept = 'yes'")

    page.get_by_role("link", name="Table").click()
    page.get_by_role("cell", name="14 Mar 2026, so far").wait_for()
    page.get_by_role("link", name="Agent runs").click()
    page.get_by_role("heading", name="Agent runs by day").wait_for()

    assert page.url.endswith("/usage?meter=runs&view=table")
    assert page.evaluate("document.body.dataset.kept") == "yes"


def test_the_waiting_page_finds_out_by_itself(page, ada, order_of, pay, sign_in, address):
    order = order_of(ada)
    sign_in(ada)
    page.goto(f"{address}/wallet/topups/{order.id}")

    pay(order.id)

    page.get_by_role("heading", name="$50.00 is in your wallet").wait_for()
    assert "is in your wallet" in page.locator("#flash").inner_text()
    assert page.locator("#waiting[hx-trigger]").count() == 0


def test_the_balance_follows_when_the_wallet_changed(page, ada, sign_in, address, till):
    sign_in(ada)
    page.goto(address + "/wallet")
    ada.gets(1_234)

    page.evaluate("document.body.dispatchEvent(new Event('wallet-changed'))")

    page.locator("#balance .figure", has_text="$17.34").wait_for()


def test_a_wrong_amount_is_shown_where_it_was_typed(page, ada, sign_in, address, till):
    sign_in(ada)
    page.goto(address + "/wallet")
    page.fill("#custom", "9.99")

    page.locator("#quote button").click()

    page.locator("#custom-e").wait_for()
    assert page.input_value("#custom") == "9.99"


def test_the_chosen_appearance_lasts(page, ada, sign_in, address):
    sign_in(ada)
    page.goto(address + "/")

    page.locator("label", has_text="Dark").click()
    page.goto(address + "/wallet")

    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert page.locator("input[name=theme][value=dark]").is_checked()


def test_what_broke_is_said_and_the_page_stays(browser_context, ada, sign_in, address, till):
    page = browser_context.new_page()  # htmx writes about the 500 to the console, as it should
    sign_in(ada)
    page.goto(address + "/wallet")
    page.route(re.compile("/wallet/quote"), lambda route: route.fulfill(status=500, body="broken"))

    page.fill("#custom", "75")

    page.locator("#flash", has_text="Something broke on our side").wait_for()
    assert page.input_value("#custom") == "75"


def test_the_first_press_of_tab_skips_to_the_content(page, ada, sign_in, address):
    sign_in(ada)
    page.goto(address + "/")

    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
