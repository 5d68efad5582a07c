"""SPEC §12.1, call by call: the request as it is written there, the answer's fields, types and status as documented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import sessionmaker

from app.invoices import Invoice
from tests.support.documented import INSTANT, URL, Text, told
from tests.support.fake_provider import FakeProvider
from tests.support.fake_refunds import RefundProvider
from tests.support.people import Person
from tests.support.programs import Program
from tests.support.refunding import Wallet

TRANSACTION = {
    "id": Text("wtxn_[0-9a-z]{26}"),
    "type": str,
    "amount_cents": int,
    "amount_micros": int,
    "balance_after_cents": int,
    "description": str,
    "created_at": INSTANT,
}
STATE = {
    "tier": str,
    "plan": str,
    "plan_name": str,
    "status": str,
    "subscription_id": str | None,
    "interval": str | None,
    "price_cents": int | None,
    "currency": str | None,
    "payment_method": str | None,
    "next_payment_method": str | None,
    "current_period_start": INSTANT,
    "current_period_end": INSTANT,
    "next_billing_date": str | None,
    "effective_at": INSTANT,
    "ends_at": str | None,
    "grace_ends_at": str | None,
    "pending_change": dict | None,
}
CARD = {"id": Text("pm_.+"), "brand": str, "last4": str, "exp_month": int, "exp_year": int}
LISTED = {
    "id": Text("inv_.+"),
    "number": str,
    "status": str,
    "type": str,
    "description": str,
    "currency": str,
    **dict.fromkeys(("subtotal_cents", "discount_cents", "tax_cents", "total_cents", "due_cents"), int),
    "issued_at": INSTANT,
    **dict.fromkeys(("paid_at", "period_start", "period_end"), str | None),
}
ERROR = {"error": {"code": str, "message": str, "details": dict}}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_balance(adas: Program) -> None:
    shape = {
        "operator_id": Text("cus_.+"),
        **dict.fromkeys(("balance_cents", "balance_micros", "available_cents"), int),
        "tier": str,
        "billing_period_start": INSTANT,
        "billing_period_end": INSTANT,
        "usage": dict,
    }

    told(adas.get("/v1/billing/balance"), shape)


def test_transactions(adas: Program) -> None:
    shape = {"count": int, "transactions": [TRANSACTION], "next_cursor": str | None}

    told(adas.get("/v1/billing/transactions"), shape)
    told(adas.get("/v1/billing/transactions?limit=200&offset=0"), shape)
    for kind in ("topup", "invocation", "overage", "identity", "refund"):
        told(adas.get(f"/v1/billing/transactions?type={kind}"), {**shape, "transactions": list})
    for wrong in ("limit=0", "limit=201", "type=lottery"):
        told(adas.get(f"/v1/billing/transactions?{wrong}"), ERROR, 422)


def test_top_up(adas: Program, provider: FakeProvider) -> None:
    told(adas.post("/v1/billing/topup", {"amount_cents": 5000}), {"checkout_url": URL, "session_id": str})
    for wrong in (999, 1_000_001):
        told(adas.post("/v1/billing/topup", {"amount_cents": wrong}), ERROR, 422)


def test_the_life_of_a_subscription(theirs: Program) -> None:
    """Everything from subscribing to cancelling, with a card on file."""
    change = {"id": str, "state": str, "plan": str, "interval": str, "effective_at": INSTANT, "action_url": str | None}
    preview = {
        "change_id": str,
        "plan": str,
        "interval": str,
        "effect": str,
        "effective_at": INSTANT,
        "currency": str,
        **dict.fromkeys(("charge_cents", "credit_cents", "tax_cents", "due_now_cents", "next_total_cents"), int),
        "lines": [{"description": str, "amount_cents": int}],
        "next_at": INSTANT,
        "exceeds": [],
        "is_estimate": False,
        "expires_at": INSTANT,
    }
    state = {**STATE, "plan": "growth", "tier": "growth"}

    told(theirs.post("/v1/billing/subscribe", {"tier": "starter"}), {**STATE, "status": "active"})
    seen = told(theirs.get("/v1/billing/change-plan/preview?plan=growth"), {**preview, "exceeds": list})
    told(theirs.post("/v1/billing/change-plan", {"plan": "growth", "change_id": seen["change_id"]}), state)
    told(theirs.post("/v1/billing/change-plan", {"plan": "starter"}), {**state, "pending_change": change})
    told(theirs.delete("/v1/billing/change-plan"), {**state, "pending_change": None})
    whole = {**state, "saved_payment_method": CARD, "provider_available": True, "next_billing_date": INSTANT}
    told(theirs.get("/v1/billing"), whole)
    told(theirs.post("/v1/billing/change-payment-method", {"paymentMethod": "WALLET"}), state)
    told(theirs.post("/v1/billing/cancel"), {**state, "ends_at": INSTANT})
    told(theirs.post("/v1/billing/resume"), {**state, "ends_at": None})
    told(theirs.post("/v1/billing/cancel-subscription", {"when": "now"}), {**STATE, "status": "free"})


def test_subscribing_as_agent_wallets_do(theirs: Program) -> None:
    card = theirs.get("/v1/billing").get_json()["saved_payment_method"]["id"]

    body = {"plan": "STARTER", "paymentMethod": "CARD", "stripePaymentMethodId": card}
    told(theirs.post("/v1/billing/subscribe", body), {**STATE, "payment_method": "CARD"})


def test_who_can_pay_with_nothing_saved_is_told_where(theirs: Program) -> None:
    theirs.delete("/v1/billing/payment-method")

    refused = told(theirs.post("/v1/billing/subscribe", {"tier": "growth"}), ERROR, 402)

    assert refused["error"]["details"]["checkout_url"].startswith("http")
    told(theirs.post("/v1/billing/checkout", {"plan": "growth"}), {"url": URL})


def test_cards_and_the_providers_page(theirs: Program) -> None:
    card = theirs.get("/v1/billing").get_json()["saved_payment_method"]["id"]

    told(theirs.post("/v1/billing/setup-intent"), {"clientSecret": Text("seti_.+_secret_.+")})
    told(theirs.post("/v1/billing/payment-method", {"paymentMethodId": card}), {"payment_method": CARD})
    told(theirs.post("/v1/billing/portal"), {"url": URL})
    told(theirs.post("/v1/billing/portal", {"returnUrl": "/plan"}), {"url": URL})
    told(theirs.delete("/v1/billing/payment-method"), {"payment_method": None})


def test_retrying_a_payment(adas: Program, provider: FakeProvider) -> None:
    shape = {"invoice_id": str | None, "status": "nothing_due", "message": str, "url": str | None}

    told(adas.post("/v1/billing/retry-payment"), shape)


def test_invoices(adas: Program, ada: Person, invoice_for: Callable[..., Invoice]) -> None:
    invoice = invoice_for(ada, 24900)
    line: dict[str, Any] = {
        "description": str,
        "quantity": int,
        "unit_price_micros": int | None,
        "amount_cents": int,
        "discount_cents": int,
        "proration": bool,
        "period_start": str | None,
        "period_end": str | None,
    }
    party = {"name": str, "address": list, "country": str, "tax_id": str}
    payment = {
        "status": "paid",
        "paid_cents": 24900,
        "credited_cents": 0,
        "method": str,
        "reference": str,
        "attempts": int,
        "next_attempt_at": str | None,
        "failure": str | None,
        "url": str | None,
    }

    pages = {"count": 1, "page": 1, "pages": 1, "limit": 50, "invoices": [LISTED], "next_cursor": str | None}
    told(adas.get("/v1/billing/invoices?page=1&limit=50"), pages)
    more = {"note": str | None, "seller": party, "buyer": party, "lines": [line], "taxes": list, "payment": payment}
    told(adas.get(f"/v1/billing/invoices/{invoice.id}"), LISTED | more | {"credit_notes": list})
    told(adas.get("/v1/billing/invoices/inv_none"), ERROR, 404)


def test_a_refund(app: Flask, adas: Program, ada: Person) -> None:
    pays_back = RefundProvider()
    app.extensions["providers"] = {"stripe": pays_back}
    wallet = Wallet(ada.session, pays_back, ada.customer_id, None, sessionmaker(ada.session.get_bind()))
    path = f"/v1/billing/refund/{wallet.tops_up(5000)}"
    shape = {
        "id": Text("ref_.+"),
        "transaction_id": TRANSACTION["id"],
        "status": "succeeded",
        "amount_cents": 5000,
        "tax_cents": 0,
        "refunded_cents": 5000,
        "failure": None,
        "created_at": INSTANT,
    }

    first = told(adas.post(path, key="r1"), shape)
    again = adas.post(path, key="r1")

    assert (told(again, shape), again.headers["Idempotent-Replayed"]) == (first, "true")
    assert pays_back.gone() == 5000
    told(adas.post(path, {"amount_cents": 100}, key="r1"), ERROR, 409)
    told(adas.post("/v1/billing/refund/wtxn_none"), ERROR, 404)


def test_errors(stranger: Program, ada: Person, program: Callable[[str], Program]) -> None:
    told(stranger.get("/v1/billing"), ERROR, 401)
    refused = told(program(ada.key("billing:read")).post("/v1/billing/cancel"), ERROR, 403)

    assert refused["error"]["code"] == "FORBIDDEN"
    unknown = told(program(ada.key()).post("/v1/billing/topup", {"amount_cents": 5000, "tip": 1}), ERROR, 422)
    assert unknown["error"]["details"]["field"] == "tip"
