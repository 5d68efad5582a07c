"""What a plan's provider cannot do is left out of the pages, and refused by pages and API with its name (SPEC V1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.config import Settings
from app.customers.models import Customer
from app.db import transaction
from app.http.headers import content_policy
from tests.support.lemon import Shopper, shopping, squeezy_adapter
from tests.support.people import Person
from tests.support.programs import Program, error
from tests.support.time import Clock
from tests.support.web import PageClient


@pytest.fixture
def shopper(
    app: Flask, session: Session, sessions: Any, ada: Person, lemon: Any, squeezy: Any, clock: Clock
) -> Shopper:
    """Ada, on Starter, which Lemon Squeezy runs."""
    app.extensions["providers"] = {"lemonsqueezy": squeezy}
    with transaction(session):
        customer = session.get_one(Customer, ada.customer_id)
    made = shopping(session, sessions, customer, lemon, squeezy, clock)
    made.is_on("starter")
    return made


@pytest.fixture
def browser(client_of: Callable[[Person], PageClient], ada: Person, shopper: Shopper) -> PageClient:
    return client_of(ada)


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True)).replace("\N{NO-BREAK SPACE}", " ")


def test_a_change_is_offered_with_what_it_costs_about(browser: PageClient, shopper: Shopper) -> None:
    page = text(browser.get("/plan"))
    assert "Upgrade to Growth" in page
    assert "Lemon Squeezy charges the card it has." in page
    assert "plus tax" in page
    assert "end it now" not in page

    shown = text(browser.get("/plan/change?plan=growth&interval=month"))
    assert "Due today, about" in shown
    assert "Pay about $20.00 and upgrade" in shown
    assert "Lemon Squeezy works out the exact ones, and they are what counts" in shown
    assert "This price holds until" not in shown
    pressed = browser.post("/payment-methods/portal", data={"next": "/plan"})
    assert pressed.headers["Location"].startswith("https://example.lemonsqueezy.com/billing")


def test_it_can_be_cancelled_at_the_end_of_the_period_alone(browser: PageClient, shopper: Shopper) -> None:
    page = text(browser.get("/plan/cancel"))
    assert "Cancel on" in page
    assert "Cancel now" not in page

    by_hand = browser.post("/plan/cancel", data={"when": "now"})
    assert by_hand.status_code == 422
    assert "cannot end a subscription before its period does" in text(by_hand)

    assert browser.post("/plan/cancel", data={"when": "period_end"}).status_code == 303
    assert shopper.sub.cancel_at_period_end


def test_a_plan_that_has_no_variant_there_is_refused_with_a_sentence(browser: PageClient) -> None:
    answer = browser.get("/plan/change?plan=starter&interval=year")

    assert answer.status_code == 422
    assert "Starter by the year cannot be bought through Lemon Squeezy at the moment" in text(answer)


def test_a_payment_that_failed_is_tried_by_the_provider_alone(
    client_of: Callable[[Person], PageClient], ada: Person, shopper: Shopper
) -> None:
    shopper.lemon.books.runs_short(str(shopper.sub.provider_id))
    shopper.passes(days=31)
    shopper.hears()
    browser = client_of(ada)

    page = text(browser.get("/plan"))
    assert "payment failed" in page
    assert "/plan/retry" not in page
    assert browser.post("/plan/retry").status_code == 422


def test_cards_are_the_providers_matter(browser: PageClient) -> None:
    page = text(browser.get("/payment-methods"))

    assert "No payment provider that keeps cards" in page
    assert "Lemon Squeezy’s own page" in page
    assert "Add card" not in page


def test_without_a_variant_for_them_there_are_no_top_ups(app: Flask, browser: PageClient, lemon: Any) -> None:
    app.extensions["providers"] = {"lemonsqueezy": squeezy_adapter(lemon, variant_id="")}

    assert "Top-ups are switched off" in text(browser.get("/wallet"))


def test_the_api_refuses_it_by_name(app: Flask, shopper: Shopper, service_key: str) -> None:
    host = Program(app, service_key, shopper.customer_id)

    answer = host.post("/v1/billing/cancel", {"when": "now"}, key="now")
    assert answer.status_code == 422
    assert error(answer)["code"] == "UNSUPPORTED_BY_CHANNEL"

    shown = host.get("/v1/billing/change-plan/preview?plan=growth").get_json()
    assert (shown["is_estimate"], shown["due_now_cents"]) == (True, 2000)


def test_a_form_may_lead_to_a_store_where_one_is_used(settings: Settings) -> None:
    assert "lemonsqueezy" not in content_policy(settings)
    assert "https://*.lemonsqueezy.com" in content_policy(replace(settings, lemonsqueezy_api_key="key"))
