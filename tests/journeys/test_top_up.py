"""From nothing to a credited top-up, and to a pack of credits, in a real browser, with and without scripts (R3).

The whole way is gone on both databases. What differs by the webhook or by what is kept is looked at on PostgreSQL, the
rest on SQLite: each story costs seconds, and tests/flows and tests/webhooks have them all on both.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import ASKS_THE_BANK, DECLINED, GIFT, NO_FUNDS, PAYS, Person

Console = Callable[[str, dict[str, str]], None]

pytestmark = pytest.mark.slow

WITH_AND_WITHOUT = pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no-scripts"])
ON_SQLITE = pytest.mark.parametrize("demo", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize(
    "demo", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
ON_EITHER = pytest.mark.parametrize(
    ("demo", "javascript"),
    [
        pytest.param("sqlite", False, id="sqlite-no-scripts"),
        pytest.param("postgresql", True, id="postgresql-scripts", marks=pytest.mark.postgresql),
    ],
    indirect=["demo"],
)


@WITH_AND_WITHOUT
def test_a_newcomer_signs_up_pays_50_dollars_and_sees_them_with_the_gift(nora: Person) -> None:
    nora.signs_up()
    nora.sees_balance(GIFT)

    nora.asks_to_top_up("50")
    nora.pays_with(PAYS)

    nora.waits_for("is in your wallet")
    nora.sees_balance(50 + GIFT)
    expect(nora.page.locator("#ledger tbody tr")).to_have_count(2)


@ON_EITHER
def test_the_webhook_may_come_late(nora: Person, console: Console) -> None:
    nora.signs_up()
    console("/deliveries/mode", {"mode": "hold"})
    nora.asks_to_top_up("50")
    nora.pays_with(PAYS)
    expect(nora.page.locator("#waiting")).to_contain_text("Reference")
    waiting = nora.page.url
    nora.sees_balance(GIFT)

    console("/deliveries/held/shuffle", {})
    console("/deliveries/held/release", {})
    nora.page.goto(waiting)

    nora.waits_for("is in your wallet")
    nora.sees_balance(50 + GIFT)


@ON_POSTGRESQL
def test_the_webhook_may_come_twice(nora: Person, console: Console) -> None:
    nora.signs_up()
    console("/deliveries/mode", {"mode": "duplicate"})
    nora.asks_to_top_up("50")
    nora.pays_with(PAYS)
    nora.waits_for("is in your wallet")

    nora.page.wait_for_timeout(1500)  # for the second copy of everything to be delivered and applied

    nora.sees_balance(50 + GIFT)


@ON_SQLITE
def test_the_page_finds_out_by_itself_while_it_is_open(nora: Person, console: Console) -> None:
    nora.signs_up()
    console("/deliveries/mode", {"mode": "hold"})
    nora.asks_to_top_up("50")
    nora.pays_with(PAYS)
    assert nora.page.locator("#waiting").get_attribute("hx-get"), "it must be asking"

    console("/deliveries/held/release", {})

    expect(nora.page.locator("#waiting")).to_contain_text("is in your wallet", timeout=30_000)
    assert nora.page.locator("#waiting").get_attribute("hx-get") is None, "the waiting must end"


@ON_SQLITE
@pytest.mark.parametrize(
    ("card", "why", "javascript"), [(DECLINED, "declined", False), (NO_FUNDS, "insufficient funds", True)]
)
def test_a_declined_card_credits_nothing_and_says_why(nora: Person, card: str, why: str) -> None:
    nora.signs_up()
    nora.asks_to_top_up("50")

    nora.pays_with(card)

    expect(nora.page.get_by_role("alert")).to_contain_text(why)
    nora.sees_balance(GIFT)


@ON_POSTGRESQL
def test_another_card_after_a_declined_one_pays_once(nora: Person) -> None:
    nora.signs_up()
    nora.asks_to_top_up("50")
    nora.pays_with(DECLINED)

    nora.pays_with(PAYS)

    nora.waits_for("is in your wallet")
    nora.sees_balance(50 + GIFT)


@ON_SQLITE
def test_the_bank_may_ask_and_be_satisfied(nora: Person) -> None:
    nora.signs_up()
    nora.asks_to_top_up("50")
    nora.pays_with(ASKS_THE_BANK)

    nora.page.get_by_role("button", name="Approve").click()

    nora.waits_for("is in your wallet")
    nora.sees_balance(50 + GIFT)


@ON_POSTGRESQL
def test_the_bank_may_ask_and_say_no(nora: Person) -> None:
    nora.signs_up()
    nora.asks_to_top_up("50")
    nora.pays_with(ASKS_THE_BANK)

    nora.page.get_by_role("button", name="Fail").click()

    expect(nora.page.get_by_role("alert")).to_be_visible()
    nora.sees_balance(GIFT)


@ON_POSTGRESQL
def test_leaving_the_payment_page_credits_nothing_and_says_so(nora: Person) -> None:
    nora.signs_up()
    nora.asks_to_top_up("50")

    nora.page.get_by_role("link", name="Leave without paying").click()

    expect(nora.page.locator("#main")).to_contain_text("Nothing was charged")
    nora.sees_balance(GIFT)


@ON_SQLITE
def test_an_amount_that_cannot_be_is_refused_beside_its_field(nora: Person) -> None:
    nora.signs_up()

    for typed in ("9.99", "10,000.01", "-5", "1e3", "NaN"):
        nora.asks_to_top_up(typed)

        expect(nora.page.locator("#custom-e")).to_be_visible()
        expect(nora.page.get_by_label("Other amount")).to_have_value(typed)
    nora.sees_balance(GIFT)


@ON_POSTGRESQL
def test_the_same_form_sent_again_leads_to_the_same_payment_and_then_says_it_is_paid(nora: Person) -> None:
    nora.signs_up()
    key = nora.asks_to_top_up("50")
    checkout = nora.page.url

    nora.asks_to_top_up("50", form_key=key)
    assert nora.page.url == checkout
    nora.pays_with(PAYS)
    nora.waits_for("is in your wallet")

    nora.asks_to_top_up("50", form_key=key)
    expect(nora.page.locator("#flash")).to_contain_text("already paid")
    nora.sees_balance(50 + GIFT)


@ON_POSTGRESQL
def test_a_pack_is_bought_its_credits_arrive_and_its_invoice_is_there(nora: Person) -> None:
    nora.signs_up()
    nora.page.goto(nora.base_url + "/credits")
    had = nora.page.locator("#balance .figure").first.inner_text().split()[0]
    nora.page.get_by_role("button", name="Buy 500 credits").click()
    nora.page.locator("dialog[open]").get_by_role("button", name="Pay $45.00").click()

    nora.pays_with(PAYS)

    nora.waits_for("500 credits are yours")
    invoice = nora.page.locator(".page-head a.btn")
    for _ in range(60):  # it is told of by an event of its own
        nora.page.reload()
        if invoice.count():
            break
        nora.page.wait_for_timeout(250)
    invoice.click()
    expect(nora.page.locator("#main")).to_contain_text("500 credits")
    expect(nora.page.locator("#main")).to_contain_text("$45.00")
    nora.page.get_by_role("link", name="The order it is for").click()
    nora.waits_for("500 credits are yours")
    nora.page.goto(nora.base_url + "/credits")
    expect(nora.page.locator("#balance .figure").first).to_contain_text(str(int(had) + 500))
    nora.sees_balance(GIFT)
