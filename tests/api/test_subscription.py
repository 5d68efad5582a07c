"""A program begins, changes and ends a subscription, against a provider that really answers (SPEC §12.1)."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.card_paid import Cardholder
from tests.support.people import Person
from tests.support.plans import Subscriber, offer
from tests.support.programs import Program, error


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def host(app: Flask, cardholder: Cardholder, service_key: str) -> Program:
    """The host product's back end, acting for somebody with a saved card."""
    app.extensions["providers"] = cardholder.providers
    return Program(app, service_key, cardholder.customer_id)


def test_who_pays_for_nothing_is_on_the_free_plan(host: Program) -> None:
    told = host.get("/v1/billing").get_json()

    assert (told["tier"], told["plan"], told["plan_name"], told["status"]) == ("free", "free", "Free", "free")
    assert (told["subscription_id"], told["next_billing_date"], told["pending_change"]) == (None, None, None)
    assert told["saved_payment_method"]["last4"] == "4242"
    assert told["provider_available"]


@pytest.mark.parametrize(
    "body",
    [{"tier": "starter"}, {"plan": "STARTER", "paymentMethod": "CARD"}],
    ids=["by tier", "by plan and card"],
)
def test_with_a_saved_card_it_is_done_at_once(host: Program, cardholder: Cardholder, body: dict[str, str]) -> None:
    told = host.post("/v1/billing/subscribe", body, key="k1").get_json()

    assert (told["tier"], told["plan"], told["status"], told["payment_method"]) == (
        "starter",
        "starter",
        "active",
        "CARD",
    )
    assert told["effective_at"] == told["current_period_start"]
    assert [invoice.paid_minor for invoice in cardholder.invoices] == [1_000]
    again = host.post("/v1/billing/subscribe", body, key="k1")
    assert (again.headers["Idempotent-Replayed"], again.get_json()) == ("true", told)
    assert len(cardholder.invoices) == 1


def test_having_the_plan_already_is_no_second_purchase(host: Program, cardholder: Cardholder) -> None:
    first = host.post("/v1/billing/subscribe", {"tier": "starter"}, key="k1").get_json()

    second = host.post("/v1/billing/subscribe", {"tier": "starter"}, key="k2").get_json()

    assert second["subscription_id"] == first["subscription_id"]
    assert len(cardholder.invoices) == 1


@pytest.mark.parametrize("body", [{"tier": "starter"}, {"plan": "starter", "paymentMethod": "WALLET"}])
def test_the_wallet_pays_where_there_is_no_card(
    app: Flask, subscriber: Subscriber, service_key: str, body: dict[str, str]
) -> None:
    subscriber.gets(2_000)
    program = Program(app, service_key, subscriber.customer_id)

    told = program.post("/v1/billing/subscribe", body, key="k1").get_json()

    assert (told["plan"], told["status"], told["payment_method"]) == ("starter", "active", "WALLET")
    assert subscriber.cents == 500 + 2_000 - 1_000


def test_who_can_pay_with_nothing_is_sent_to_a_page(
    app: Flask, cardholder: Cardholder, service_key: str, bo: Person
) -> None:
    app.extensions["providers"] = cardholder.providers
    program = Program(app, service_key, bo.customer_id)
    bo.session.rollback()  # what the test itself has read: the provider is never asked within a transaction

    refused = program.post("/v1/billing/subscribe", {"tier": "growth"}, key="k1")
    again = program.post("/v1/billing/subscribe", {"tier": "growth"}, key="k1")

    assert refused.status_code == 402
    told = error(refused)
    assert told["code"] == "PAYMENT_REQUIRED"
    assert told["details"]["checkout_url"].startswith(cardholder.sandbox.url)
    assert error(again)["details"] == told["details"]
    assert program.get("/v1/billing").get_json()["plan"] == "free"


def test_a_wallet_that_is_named_and_short_is_told_what_is_missing(
    app: Flask, subscriber: Subscriber, service_key: str
) -> None:
    program = Program(app, service_key, subscriber.customer_id)

    refused = program.post("/v1/billing/subscribe", {"plan": "starter", "paymentMethod": "WALLET"})

    assert refused.status_code == 402
    assert error(refused)["code"] == "INSUFFICIENT_CREDITS"
    assert error(refused)["details"]["needed_micros"] == 10_000_000


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "plan"),
        ({"tier": "starter", "plan": "starter"}, "plan"),
        ({"plan": "starter", "stripePaymentMethodId": "pm_1"}, "stripePaymentMethodId"),
        ({"plan": "starter", "paymentMethod": "CASH"}, "paymentMethod"),
        ({"plan": "starter", "interval": "week"}, "interval"),
        ({"plan": "starter", "surprise": 1}, "surprise"),
        ({"plan": 7}, "plan"),
        ({"plan": "free"}, "plan"),
        ({"plan": "prompt", "interval": "year"}, "interval"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(host: Program, body: dict[str, object], field: str) -> None:
    refused = host.post("/v1/billing/subscribe", body)

    assert refused.status_code == 422
    assert error(refused)["details"]["field"] == field


def test_a_page_to_subscribe_on(host: Program, cardholder: Cardholder) -> None:
    url = host.post("/v1/billing/checkout", {"plan": "growth", "interval": "year"}, key="c1").get_json()["url"]

    assert url.startswith(cardholder.sandbox.url)
    assert host.post("/v1/billing/checkout", {"plan": "growth", "interval": "year"}, key="c1").get_json()["url"] == url


def test_an_upgrade_costs_what_its_preview_said(host: Program, cardholder: Cardholder) -> None:
    host.post("/v1/billing/subscribe", {"tier": "starter"})
    cardholder.passes(days=10)

    shown = host.get("/v1/billing/change-plan/preview?plan=growth").get_json()
    cardholder.passes(minutes=5)
    told = host.post("/v1/billing/change-plan", {"plan": "growth", "change_id": shown["change_id"]}, key="u").get_json()

    assert shown["effect"] == "now"
    assert 0 < shown["due_now_cents"] == shown["charge_cents"] - shown["credit_cents"] + shown["tax_cents"]
    assert sum(line["amount_cents"] for line in shown["lines"]) + shown["tax_cents"] == shown["due_now_cents"]
    assert (told["plan"], told["status"], told["pending_change"]) == ("growth", "active", None)
    assert cardholder.invoices[-1].paid_minor == shown["due_now_cents"]


@pytest.mark.parametrize("asked", [{"plan": "prompt"}, {"plan": "growth", "interval": "year"}])
def test_a_preview_is_not_confirmed_for_something_else(
    host: Program, cardholder: Cardholder, asked: dict[str, str]
) -> None:
    host.post("/v1/billing/subscribe", {"tier": "starter"})
    shown = host.get("/v1/billing/change-plan/preview?plan=growth").get_json()

    refused = host.post("/v1/billing/change-plan", {**asked, "change_id": shown["change_id"]})

    assert (refused.status_code, error(refused)["details"]["field"]) == (422, "change_id")
    assert len(cardholder.invoices) == 1


def test_a_downgrade_waits_for_the_period_to_end_and_can_be_taken_back(host: Program) -> None:
    host.post("/v1/billing/subscribe", {"tier": "growth"})

    told = host.post("/v1/billing/change-plan", {"plan": "starter"}, key="d").get_json()
    back = host._client().delete("/v1/billing/change-plan", headers=host._headers()).get_json()

    assert told["plan"] == "growth"
    assert (told["pending_change"]["plan"], told["pending_change"]["state"]) == ("starter", "scheduled")
    assert told["effective_at"] == told["pending_change"]["effective_at"] == told["current_period_end"]
    assert back["pending_change"] is None


@pytest.mark.parametrize("call", ["cancel", "cancel-subscription"])
def test_cancelling_keeps_access_until_the_end_and_can_be_taken_back(host: Program, call: str) -> None:
    host.post("/v1/billing/subscribe", {"tier": "starter"})

    told = host.post(f"/v1/billing/{call}", {"reason": "too_expensive"}).get_json()
    kept = host.post("/v1/billing/resume").get_json()

    assert (told["status"], told["ends_at"], told["next_billing_date"]) == ("active", told["current_period_end"], None)
    assert (kept["ends_at"], kept["next_billing_date"]) == (None, kept["current_period_end"])


def test_cancelling_now_ends_it_and_pays_back(host: Program, cardholder: Cardholder) -> None:
    host.post("/v1/billing/subscribe", {"tier": "starter"})
    cardholder.passes(days=1)

    told = host.post("/v1/billing/cancel", {"when": "now"}).get_json()

    assert (told["plan"], told["status"], told["subscription_id"]) == ("free", "free", None)


def test_who_has_no_subscription_has_none_to_cancel(host: Program) -> None:
    assert host.post("/v1/billing/cancel", {}).status_code == 404


def test_the_wallet_may_take_over_from_the_card(host: Program) -> None:
    host.post("/v1/billing/subscribe", {"tier": "starter"})

    told = host.post("/v1/billing/change-payment-method", {"paymentMethod": "WALLET"}).get_json()

    assert (told["payment_method"], told["next_payment_method"]) == ("CARD", "WALLET")


def test_with_nothing_open_there_is_nothing_to_retry(host: Program) -> None:
    told = host.post("/v1/billing/retry-payment").get_json()

    assert (told["status"], told["invoice_id"]) == ("nothing_due", None)


def test_a_provider_that_is_away_hides_the_card_and_nothing_else(host: Program, cardholder: Cardholder) -> None:
    host.post("/v1/billing/subscribe", {"tier": "starter"})
    cardholder.loses("list_cards")
    host.app.extensions["providers"] = cardholder.providers

    told = host.get("/v1/billing").get_json()

    assert (told["plan"], told["saved_payment_method"], told["provider_available"]) == ("starter", None, False)


@pytest.mark.parametrize("asked", ["starter", "STARTER"])
def test_of_two_plans_alike_it_is_the_one_on_offer(host: Program, cardholder: Cardholder, asked: str) -> None:
    offer(cardholder.session, "agent")  # its STARTER beside the starter there was

    told = host.post("/v1/billing/subscribe", {"tier": asked}, key="k").get_json()

    assert (told["tier"], told["price_cents"]) == ("STARTER", 9_900)
