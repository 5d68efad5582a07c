"""SPEC §12.4, call by call: the request as it is written there, the answer's fields, types and status as documented."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app import credits
from app.catalogue.models import Action
from app.db import transaction
from tests.api.test_documented_billing import ERROR, TRANSACTION
from tests.support.documented import INSTANT, URL, Text, told
from tests.support.people import Person
from tests.support.plans import offer
from tests.support.programs import Program

HOLD = {"id": Text("hold_.+"), "state": "held", "amount_micros": int, "expires_at": INSTANT}
CUSTOMER = {
    "id": Text("cus_.+"),
    "name": "Alder & Finch",
    "email": "ada@example.com",
    "external_id": "team-42",
    "created_at": INSTANT,
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(autouse=True)
def catalogue(session: Session) -> None:
    offer(session, "agent")
    with transaction(session):
        session.add(Action(key="ai_chat", name="AI chat", credits=50, position=9))


def test_usage(host: Program) -> None:
    event = {"id": "run-81f2", "meter": "agent_executions", "quantity": 1}
    whole = {"id": "run-81f3", "meter": "agent_executions", "quantity": 2, "source": "agent-7"}
    wrong = {"id": "run-81f4", "meter": "nothing", "quantity": 1}
    refused = {"id": "run-81f4", "code": str, "message": str, "details": dict}

    answer = host.post("/v1/usage", {"events": [event, event, {**whole, "occurred_at": "2026-03-14T09:00:00Z"}, wrong]})

    told(answer, {"accepted": 2, "duplicates": 1, "refused": [refused]})


def test_entitlements(host: Program) -> None:
    limit = {"feature": str, "kind": str, "allowed": bool, "limit": int | None, "used": int, "left": int | None}
    limit |= {"resets_at": str | None}

    told(host.get("/v1/entitlements"), {"plan": "FREE", "status": "free", "limits": [limit]})
    told(host.post("/v1/entitlements/check", {"feature": "wallets"}), {**limit, "plan": "FREE", "allowed": True})
    no = {**limit, "plan": "FREE", "allowed": False, "reason": str, "message": str, "remedy": str, "upgrade": str}
    told(host.post("/v1/entitlements/check", {"feature": "wallets", "quantity": 4}), no)


def test_resources(host: Program) -> None:
    held = {"kind": "wallets", "id": str, "in_use": int, "limit": 3, "left": int}

    told(host.post("/v1/resources/wallets", {"id": "wallet-1"}), held, 201)
    told(host.post("/v1/resources/wallets", {"id": "wallet-1"}), held)
    for name in ("wallet-2", "wallet-3"):
        told(host.post("/v1/resources/wallets", {"id": name}), held, 201)
    refused = told(host.post("/v1/resources/wallets", {"id": "wallet-4"}), ERROR, 403)
    assert refused["error"]["code"] == "TIER_LIMIT_EXCEEDED"
    assert host.delete("/v1/resources/wallets/wallet-1").status_code == 204


def test_charges_and_debits(host: Program, ada: Person) -> None:
    listed = {"service": "translate", "list_price_micros": 120_000, "description": "A page", "publisher": "acme"}

    told(host.post("/v1/charges", listed), TRANSACTION)
    told(host.post("/v1/charges", {"service": "compute", "cost_micros": 1_000}), TRANSACTION)
    told(host.post("/v1/wallet/debits", {"amount_cents": 250, "description": "Print order 1042"}), TRANSACTION)
    told(host.post("/v1/wallet/debits", {"amount_micros": 100, "description": "A look"}), TRANSACTION)
    assert ada.balance() == 5_000_000 - 120_000 - 1_150 - 2_500_000 - 100
    told(host.post("/v1/wallet/debits", {"amount_cents": 250, "description": "Too much"}), ERROR, 402)


def test_holds(host: Program) -> None:
    body = {"amount_cents": 100, "expires_in": 900, "description": "A job"}
    first = told(host.post("/v1/wallet/holds", body), HOLD)["id"]
    second = told(host.post("/v1/wallet/holds", {"amount_micros": 2_000_000}), HOLD)["id"]
    settled = {**HOLD, "state": "settled", "settled_micros": 1_250_000, "transaction_id": Text("wtxn_.+")}

    told(host.post(f"/v1/wallet/holds/{second}/settle", {"amount_micros": 1_250_000}), settled)
    told(host.post(f"/v1/wallet/holds/{first}/release"), {**HOLD, "state": "released"})


def test_credits(host: Program, ada: Person) -> None:
    with transaction(ada.session):
        credits.grant(ada.session, ada.customer_id, 1500, source="pack", key="pack", actor="stripe")
    cost = {"action": "ai_chat", "quantity": int, "unit_cost": 50, "cost": int, "balance": 1500}

    told(host.post("/v1/credits/quote", {"action": "ai_chat"}), {**cost, "balance_after": 1450, "allowed": True})
    twice = {**cost, "balance_after": 1400, "allowed": True}
    told(host.post("/v1/credits/quote", {"action": "ai_chat", "quantity": 2}), twice)
    spent = {"id": Text("wtxn_.+"), "type": str, "amount": -50, "balance_after": 1450, "description": str}
    told(host.post("/v1/credits/spend", {"action": "ai_chat"}), {**spent, "created_at": INSTANT})


def test_customers_and_their_portal(host: Program) -> None:
    body = {"name": "Alder & Finch", "email": "ada@example.com", "external_id": "team-42"}
    made = told(host.post("/v1/customers", body), CUSTOMER, 201)

    for name in (made["id"], "team-42"):
        told(host.get(f"/v1/customers/{name}"), CUSTOMER)
    link = {"url": URL, "expires_at": INSTANT}
    told(host.post("/v1/portal-sessions", {"customer": "team-42"}), link, 201)
    wish = {"customer": made["id"], "email": "bo@example.com", "path": "/wallet", "return_url": "http://localhost/"}
    told(host.post("/v1/portal-sessions", wish), link, 201)
