"""Several providers at once: pages ask which only where there is a choice; a plan stays where it began (SPEC V1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.flows import cancel_plan
from app.payments import reads
from tests.support.people import Person
from tests.support.programs import Program, error
from tests.support.two_channels import Both
from tests.support.web import PageClient


@pytest.fixture
def browser(client_of: Callable[[Person], PageClient], ada: Person, both: Both) -> PageClient:
    return client_of(ada)


@pytest.fixture
def host(app: Any, both: Both, ada: Person, service_key: str) -> Program:
    return Program(app, service_key, ada.customer_id)


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True)).replace("\N{NO-BREAK SPACE}", " ")


def channels_of(both: Both) -> list[str]:
    session = both.at_lemon.session
    session.rollback()
    return sorted(order.channel for order in reads.orders_of(session, both.at_lemon.customer_id))


def test_a_top_up_asks_which_and_offers_the_default_first(browser: PageClient, both: Both) -> None:
    page = text(browser.get("/wallet"))
    assert page.index('value="lemonsqueezy" checked') < page.index('value="creem"')
    assert "the page of the one you choose" in page

    sent = {"form_key": "form_1", "amount": "50.00"}
    chosen = browser.post("/wallet/topups", data={**sent, "channel": "creem"})
    other = browser.post("/wallet/topups", data={**sent, "channel": "lemonsqueezy"})
    silent = browser.post("/wallet/topups", data={**sent, "form_key": "form_2"})
    gone = browser.post("/wallet/topups", data={**sent, "form_key": "form_3", "channel": "stripe"})

    assert chosen.location.startswith("https://creem.io/")
    assert other.location.startswith("https://example.lemonsqueezy.com/")
    assert silent.location.startswith("https://example.lemonsqueezy.com/")
    assert (gone.status_code, "There is no channel" in text(gone)) == (422, True)
    assert channels_of(both) == ["creem", "lemonsqueezy", "lemonsqueezy"]


def test_with_one_channel_there_is_no_question(browser: PageClient, both: Both) -> None:
    both.in_order("creem")

    for page in ("/wallet", "/credits", "/credits/packs/small", "/plan/change?plan=starter&interval=month"):
        assert 'name="channel"' not in text(browser.get(page)), page
    page = text(browser.get("/wallet"))
    assert "Creem’s page" in page
    assert "Tax may come on top there." in page


def test_a_pack_is_bought_through_the_one_that_was_chosen(browser: PageClient, both: Both) -> None:
    assert text(browser.get("/credits")).count('name="channel"') == 2
    sent = {"form_key": "form_1", "price": "900", "credits": "100", "channel": "creem"}

    assert browser.post("/credits/packs/small", data=sent).location.startswith("https://creem.io/")
    assert channels_of(both) == ["creem"]


def test_a_plan_offers_the_channels_that_have_it(browser: PageClient, both: Both) -> None:
    starter, growth = (text(browser.get(f"/plan/change?plan={key}&interval=month")) for key in ("starter", "growth"))
    assert "Card, through Lemon Squeezy" in starter
    assert "Card, through Creem" in starter
    assert "through Creem" not in growth, "it has no product for it"

    sent = {"plan": "starter", "interval": "month", "by": "card", "form_key": "form_1", "channel": "creem"}
    assert browser.post("/plan/change", data=sent).location.startswith("https://creem.io/")


def test_the_api_takes_a_channel_and_names_the_field(host: Program, both: Both) -> None:
    chosen = host.post("/v1/billing/topup", {"amount_cents": 5000, "channel": "creem"}, key="a")
    silent = host.post("/api/wallet/topup", {"amountCents": 5000}, key="b")
    unknown = host.post("/v1/billing/topup", {"amount_cents": 5000, "channel": "nobody"}, key="c")
    cannot = host.post("/v1/billing/checkout", {"plan": "growth", "channel": "creem"}, key="d")
    can = host.post("/v1/billing/checkout", {"plan": "growth"}, key="e")

    assert chosen.get_json()["checkout_url"].startswith("https://creem.io/")
    assert silent.get_json()["url"].startswith("https://example.lemonsqueezy.com/")
    assert (unknown.status_code, error(unknown)["details"]["field"]) == (422, "channel")
    told = error(cannot)
    assert (cannot.status_code, told["code"]) == (422, "UNSUPPORTED_BY_CHANNEL")
    assert (told["details"]["field"], told["details"]["offered"]) == ("channel", ["lemonsqueezy"])
    assert can.get_json()["url"].startswith("https://example.lemonsqueezy.com/")


def test_a_coupon_for_a_plan_is_not_asked_for_where_it_cannot_be_taken_off(
    browser: PageClient, host: Program, both: Both
) -> None:
    session = both.at_lemon.session
    with transaction(session):
        issue.make(session, Terms("HALF", "percent", 50, Limits("Half")), actor="staff:usr_1")
    asked = "/plan/change?plan=starter&interval=month&by="

    by_card, by_wallet = text(browser.get(f"{asked}card")), text(browser.get(f"{asked}wallet"))
    typed = text(browser.get(f"{asked}card&coupon=HALF"))
    refused = host.post("/v1/billing/checkout", {"plan": "starter", "coupon": "HALF"}, key="a")

    assert "Lemon Squeezy takes no coupons for plans" in by_card
    assert 'id="coupon"' not in by_card
    assert 'id="coupon"' in by_wallet
    assert "cannot be used with this way to pay" in typed
    assert (refused.status_code, error(refused)["code"]) == (422, "UNSUPPORTED_BY_CHANNEL")
    assert error(refused)["details"]["field"] == "coupon"
    assert channels_of(both) == []


def test_a_plan_stays_with_the_channel_it_began_on(browser: PageClient, host: Program, both: Both) -> None:
    """It began at Creem; then Lemon Squeezy is the default, and Creem is not even first any more."""
    both.in_order("creem", "lemonsqueezy")
    both.at_creem.pays(both.at_creem.subscribes())
    both.at_creem.hears()
    both.in_order("lemonsqueezy", "creem")
    before = len(both.at_lemon.lemon.calls)

    portal = browser.post("/payment-methods/portal", data={"next": "/plan"})
    by_api = host.post("/v1/billing/portal", {}, key="p")
    cancelled = browser.post("/plan/cancel", data={"when": "period_end"})

    assert portal.location.startswith("https://creem.io/my-orders")
    assert by_api.get_json()["url"].startswith("https://creem.io/my-orders")
    assert cancelled.status_code == 303
    assert both.at_creem.sub.cancel_at_period_end
    assert both.at_creem.sub.channel == "creem"
    who = (both.at_creem.session, both.providers, both.at_creem.customer_id)
    cancel_plan.resume(*who, actor="usr_1")
    cancel_plan.now(*who, reason=None, actor="usr_1")
    assert both.at_creem.sub.status == "canceled"
    assert len(both.at_lemon.lemon.calls) == before, "Lemon Squeezy heard nothing of it"
