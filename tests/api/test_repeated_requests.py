"""Every call that moves money, asked twice under one Idempotency-Key: done once, told twice (SPEC R5)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import credits
from app.catalogue import check_in
from app.catalogue.models import Action
from app.catalogue.terms import CheckInTerms
from app.db import transaction
from app.wallet import adjust
from tests.support.card_paid import Cardholder
from tests.support.programs import Program

# The path, the body, and another one. In this order: each finds what those before it left.
STEPS: list[tuple[str, Any, Any]] = [
    ("/v1/billing/topup", {"amount_cents": 5000}, {"amount_cents": 5001}),
    ("/api/wallet/topup", {"amountCents": 1000}, {"amountCents": 1001}),
    (
        "/payment/create-session",
        {"channel": "stripe", "type": "topup", "amount_cents": 2000},
        {"channel": "stripe", "type": "topup", "amount_cents": 2001},
    ),
    ("/v1/charges", {"service": "compute", "cost_micros": 100}, {"service": "compute", "cost_micros": 101}),
    ("/v1/wallet/debits", {"amount_cents": 1, "description": "a"}, {"amount_cents": 1, "description": "b"}),
    ("/v1/wallet/holds", {"amount_micros": 100}, {"amount_micros": 101}),
    ("/v1/wallet/holds/{first}/settle", {"amount_micros": 50}, {"amount_micros": 51}),
    ("/v1/wallet/holds/{second}/release", None, None),
    ("/v1/credits/spend", {"action": "ai_chat"}, {"action": "ai_chat", "quantity": 2}),
    ("/checkin", None, None),
    ("/admin/credits/manual", {"amount": 5, "reason": "Goodwill"}, {"amount": 6, "reason": "Goodwill"}),
    ("/v1/billing/setup-intent", None, None),
    ("/v1/billing/checkout", {"plan": "starter"}, {"plan": "growth"}),
    ("/v1/billing/subscribe", {"tier": "starter"}, {"tier": "growth"}),
    ("/v1/billing/change-plan", {"plan": "growth"}, {"plan": "starter"}),
    ("/v1/billing/change-payment-method", {"paymentMethod": "WALLET"}, {"paymentMethod": "CARD"}),
    ("/v1/billing/cancel", None, {"when": "now"}),
    ("/v1/billing/resume", None, None),
    ("/v1/billing/cancel-subscription", {}, {"when": "now"}),
    ("/v1/billing/retry-payment", None, None),
]
# Asked twice in test_llm_proxy.py, test_documented_billing.py and test_refunds.py, where there is something to ask and
# to give back.
ELSEWHERE = {"/api/llm/proxy", "/v1/billing/refund/{txn_id}", "/v1/billing/balance-refund"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def host(app: Flask, session: Session, cardholder: Cardholder, service_key: str) -> Program:
    """The host product, acting for somebody with a saved card, money, credits, and a day to check in on."""
    app.extensions["providers"] = cardholder.providers
    with transaction(session):
        session.add(Action(key="ai_chat", name="AI chat", credits=50, position=9))
        adjust.adjust(session, cardholder.customer_id, 10**9, reason="Enough", actor="system", key="enough")
        credits.grant(session, cardholder.customer_id, 500, source="pack", key="pack", actor="stripe")
        check_in.save(session, CheckInTerms(10, who="everyone"), is_on=True, actor="system")
    return Program(app, service_key, cardholder.customer_id)


def test_each_is_done_once_and_told_again(host: Program, staff: Program, cardholder: Cardholder) -> None:
    holds = {one: host.post("/v1/wallet/holds", {"amount_micros": 100}).get_json()["id"] for one in ("first", "second")}
    off = []
    for path, body, other in STEPS:
        program, more = (staff, {"customer_id": cardholder.customer_id}) if "admin" in path else (host, {})
        sent = None if body is None else body | more

        first, again = (program.post(path.format(**holds), sent, key="k" + path) for _ in range(2))
        told = (first.status_code, again.status_code, again.get_json(), again.headers.get("Idempotent-Replayed"))
        if told != (200, 200, first.get_json(), "true"):
            off.append((path, first.get_json(), *told))
        changed = None if other is None else program.post(path.format(**holds), other | more, key="k" + path)
        if changed and (changed.status_code, changed.get_json()["error"]["code"]) != (409, "IDEMPOTENCY_KEY_REUSED"):
            off.append((path, changed.status_code, changed.get_json()))

    assert not off


def test_none_that_takes_a_key_is_left_out(app: Flask) -> None:
    document = app.extensions["openapi"]()
    keyed = {
        path.replace("{hold_id}/settle", "{first}/settle").replace("{hold_id}/release", "{second}/release")
        for path, item in document["paths"].items()
        for operation in item.values()
        if "Idempotency-Key" in {one["name"] for one in operation.get("parameters", [])}
    }

    assert keyed - ELSEWHERE == {path for path, _, _ in STEPS}
