"""A program saves and drops cards, and opens a provider's pages (SPEC §12.1, §12.2)."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.card_paid import Cardholder
from tests.support.programs import Program, error


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def host(app: Flask, cardholder: Cardholder, service_key: str) -> Program:
    """The host product's back end, acting for somebody with a saved card."""
    app.extensions["providers"] = cardholder.providers
    return Program(app, service_key, cardholder.customer_id)


def test_a_browser_gets_a_secret_to_save_a_card_with(host: Program) -> None:
    first = host.post("/v1/billing/setup-intent", key="s").get_json()
    again = host.post("/v1/billing/setup-intent", key="s").get_json()

    assert first["clientSecret"].startswith("seti_")
    assert first == again


def test_another_saved_card_is_charged_from_now_on(host: Program, cardholder: Cardholder) -> None:
    first = host.get("/v1/billing").get_json()["saved_payment_method"]["id"]
    second = cardholder.saves_card("pm_card_mastercard")

    told = host.post("/v1/billing/payment-method", {"paymentMethodId": first}).get_json()

    assert told["payment_method"]["id"] == first != second
    assert host.get("/v1/billing").get_json()["saved_payment_method"]["id"] == first


def test_another_customers_card_is_no_card(host: Program) -> None:
    refused = host.post("/v1/billing/payment-method", {"paymentMethodId": "pm_somebody_elses"})

    assert refused.status_code == 404


def test_the_card_that_is_charged_can_be_dropped(host: Program) -> None:
    told = host._client().delete("/v1/billing/payment-method", headers=host._headers())

    assert (told.status_code, told.get_json()) == (200, {"payment_method": None})
    assert host._client().delete("/v1/billing/payment-method", headers=host._headers()).status_code == 404


def test_the_last_card_of_who_pays_with_it_stays(host: Program) -> None:
    host.post("/v1/billing/subscribe", {"tier": "starter"})

    refused = host._client().delete("/v1/billing/payment-method", headers=host._headers())

    assert refused.status_code == 409
    assert error(refused)["code"] == "CARD_NEEDED"


def test_the_portal_leads_back_only_where_it_may(host: Program, cardholder: Cardholder) -> None:
    opened = host.post("/v1/billing/portal", {"returnUrl": "/plan"}).get_json()
    refused = host.post("/v1/billing/portal", {"returnUrl": "https://evil.example/"})

    assert opened["url"].startswith(cardholder.sandbox.url)
    assert refused.status_code == 422
    assert error(refused)["details"]["field"] == "returnUrl"


def test_the_portal_by_its_other_name(host: Program, cardholder: Cardholder) -> None:
    opened = host.post("/subscription/portal", {"return_url": "/plan"}).get_json()
    refused = host.post("/subscription/portal", {"return_url": "//evil.example"})

    assert opened["success"] is True
    assert opened["data"]["url"].startswith(cardholder.sandbox.url)
    assert refused.status_code == 422
    assert refused.get_json()["success"] is False
    assert refused.get_json()["error"]["details"]["field"] == "return_url"


@pytest.mark.parametrize("named", ["id", "key"])
def test_a_payment_page_for_a_plan(host: Program, cardholder: Cardholder, named: str) -> None:
    plans = host.get("/subscription/plans").get_json()["data"]
    plan_id = next(plan["id"] for plan in plans if plan["name"] == "Growth") if named == "id" else "growth"

    made = host.post(
        "/payment/create-session", {"channel": "stripe", "type": "subscription", "plan_id": plan_id}, key="p"
    )

    assert made.get_json()["data"]["url"].startswith(cardholder.sandbox.url)


def test_a_payment_page_for_a_top_up(host: Program, cardholder: Cardholder) -> None:
    made = host.post("/payment/create-session", {"channel": "stripe", "type": "topup", "amount_cents": 5_000})

    assert made.get_json()["data"]["url"].startswith(cardholder.sandbox.url)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"channel": "creem", "type": "subscription", "plan_id": "starter"}, 422, "channel"),
        ({"channel": "stripe", "type": "subscription"}, 422, "plan_id"),
        ({"channel": "stripe", "type": "subscription", "plan_id": "nothing"}, 404, "plan_id"),
        ({"channel": "stripe", "type": "gift", "plan_id": "starter"}, 422, "type"),
        ({"channel": "stripe", "type": "topup"}, 422, "amount_cents"),
        ({"channel": "stripe", "type": "topup", "amount_cents": 5_000, "plan_id": "starter"}, 422, "plan_id"),
        (
            {"channel": "stripe", "type": "subscription", "plan_id": "starter", "success_url": "https://evil.example"},
            422,
            "success_url",
        ),
    ],
)
def test_a_payment_page_that_cannot_be_is_refused_in_the_envelope(
    host: Program, body: dict[str, object], status: int, field: str
) -> None:
    refused = host.post("/payment/create-session", body)

    assert refused.status_code == status
    told = refused.get_json()
    assert told["success"] is False
    assert told["error"]["details"]["field"] == field
