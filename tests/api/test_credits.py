"""GET /credits/balance, GET /credits/transactions, POST /v1/credits/quote, POST /v1/credits/spend, /admin/credits/*"""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import activity, adjustments, clock, credits
from app.adjustments import OwnAdjustment
from app.catalogue import file, publish, shipped
from app.customers import api_keys
from app.db import transaction
from tests.support.people import Person
from tests.support.programs import Program, error

CHAT = {"action": "ai_chat"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(autouse=True)
def catalogue(session: Session, ada: Person) -> None:
    """The shipped `cred` catalogue, in which `ai_chat` costs 50; and Ada, who has 1,500 credits."""
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("cred"), currency="usd"), actor="test")
        credits.grant(session, ada.customer_id, 1_500, source="pack", key="pack:1", actor="stripe")


def test_an_ai_chat_costs_50_and_shows_as_minus_50(host: Program, adas: Program) -> None:
    spent = host.post("/v1/credits/spend", CHAT, key="chat-1")

    assert spent.status_code == 200
    told = spent.get_json()
    assert (told["amount"], told["balance_after"], told["type"]) == (-50, 1_450, "spend")
    assert adas.get("/credits/balance").get_json() == {"success": True, "data": {"balance": 1_450}}
    listed = adas.get("/credits/transactions?limit=1").get_json()
    assert listed == {
        "success": True,
        "data": [
            {
                "id": told["id"],
                "type": "spend",
                "amount": -50,
                "description": "AI chat",
                "created_at": "2026-03-14T09:30:00Z",
            }
        ],
    }


def test_the_same_key_spends_once(host: Program, adas: Program) -> None:
    first = host.post("/v1/credits/spend", CHAT, key="k")
    again = host.post("/v1/credits/spend", CHAT, key="k")
    other = host.post("/v1/credits/spend", {**CHAT, "quantity": 2}, key="k")

    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (first.get_json(), "true")
    assert (other.status_code, error(other)["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert adas.get("/credits/balance").get_json()["data"]["balance"] == 1_450


def test_a_quote_says_the_cost_and_changes_nothing(host: Program, adas: Program) -> None:
    answer = host.post("/v1/credits/quote", {**CHAT, "quantity": 40})

    assert answer.get_json() == {
        "action": "ai_chat",
        "quantity": 40,
        "unit_cost": 50,
        "cost": 2_000,
        "balance": 1_500,
        "balance_after": -500,
        "allowed": False,
    }
    assert adas.get("/credits/balance").get_json()["data"]["balance"] == 1_500


def test_more_than_there_is_is_402_with_the_figures(host: Program) -> None:
    answer = host.post("/v1/credits/spend", {**CHAT, "quantity": 31}, key="k")

    assert (answer.status_code, error(answer)["code"]) == (402, "INSUFFICIENT_CREDITS")
    assert error(answer)["details"] == {"available": 1_500, "needed": 1_550}


def test_an_unknown_action_is_422(host: Program) -> None:
    answer = host.post("/v1/credits/spend", {"action": "fly"}, key="k")

    assert (answer.status_code, error(answer)["code"]) == (422, "UNKNOWN_ACTION")


def test_a_customers_own_key_may_ask_and_not_spend(adas: Program) -> None:
    assert adas.post("/v1/credits/quote", CHAT).status_code == 200
    assert adas.post("/v1/credits/spend", CHAT).status_code == 403


def test_transactions_are_paged_and_filtered(host: Program, adas: Program) -> None:
    for number in range(3):
        host.post("/v1/credits/spend", CHAT, key=f"k{number}")

    rest = adas.get("/credits/transactions?limit=2&offset=2").get_json()["data"]

    assert [line["amount"] for line in rest] == [-50, 1_500]
    assert [line["type"] for line in adas.get("/credits/transactions?type=pack").get_json()["data"]] == ["pack"]
    assert adas.get("/credits/transactions?type=gold").status_code == 422
    assert adas.get("/credits/transactions?limit=201").get_json()["success"] is False


def test_staff_see_everybodys(host: Program, staff: Program, ada: Person, bo: Person) -> None:
    host.post("/v1/credits/spend", CHAT, key="k")
    staff.post("/admin/credits/manual", {"customer_id": bo.customer_id, "amount": 5, "reason": "Goodwill"}, key="m")

    every = staff.get("/admin/credits/transactions").get_json()["data"]
    bos = staff.get(f"/admin/credits/transactions?customer={bo.customer_id}").get_json()["data"]
    spends = staff.get("/admin/credits/transactions?type=spend").get_json()["data"]

    assert sorted(line["amount"] for line in every) == [-50, 5, 1_500]
    assert [(line["amount"], line["balance_after"], line["description"]) for line in bos] == [(5, 5, "Goodwill")]
    assert [(line["customer_id"], line["amount"]) for line in spends] == [(ada.customer_id, -50)]


def test_staff_give_and_take_with_a_reason_once(staff: Program, session: Session, ada: Person) -> None:
    ends = clock.timestamp(clock.now() + timedelta(days=1))
    given = {"customer_id": ada.customer_id, "amount": 500, "reason": "Goodwill", "expires_at": ends}

    first = staff.post("/admin/credits/manual", given, key="k")
    again = staff.post("/admin/credits/manual", given, key="k")
    much = staff.post("/admin/credits/manual", {**given, "amount": -3_000}, key="much")

    assert first.get_json()["data"]["balance_after"] == 2_000
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (first.get_json(), "true")
    assert (much.status_code, much.get_json()["error"]["code"]) == (402, "INSUFFICIENT_CREDITS")
    [line] = activity.of_everyone(session, action="credits.adjusted", limit=5).lines
    assert (line.details["amount"], line.details["reason"]) == (500, "Goodwill")
    assert credits.balance(session, ada.customer_id).ends_next == 500


def test_above_the_limit_it_waits_for_a_person_and_the_same_key_tells_what_became_of_it(
    staff: Program, session: Session, ada: Person, admin: Person
) -> None:
    given = {"customer_id": ada.customer_id, "amount": 20_001, "reason": "Goodwill"}

    asked = staff.post("/admin/credits/manual", given, key="k")
    again = staff.post("/admin/credits/manual", given, key="k")
    other = staff.post("/admin/credits/manual", {**given, "amount": 20_002}, key="k")
    with transaction(session):
        adjustments.approve(session, asked.get_json()["data"]["id"], by=f"staff:{admin.id}", person=admin.id)
    made = staff.post("/admin/credits/manual", given, key="k")

    assert (asked.status_code, asked.get_json()["data"]["state"]) == (202, "waiting")
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (asked.get_json(), "true")
    assert other.status_code == 409
    assert (made.status_code, made.get_json()["data"]["amount"]) == (200, 20_001)
    assert credits.balance(session, ada.customer_id).available == 1_500 + 20_001


def test_who_made_a_key_is_not_the_second_person_for_it(
    app: Flask, session: Session, ada: Person, admin: Person
) -> None:
    with transaction(session):
        _, text = api_keys.create_staff_key(session, name="Ann's", role="finance", made_by=admin.id)
    given = {"customer_id": ada.customer_id, "amount": 20_001, "reason": "Goodwill"}
    asked = Program(app, text).post("/admin/credits/manual", given, key="k").get_json()["data"]["id"]

    with pytest.raises(OwnAdjustment), transaction(session):
        adjustments.approve(session, asked, by=f"staff:{admin.id}", person=admin.id)


def test_support_may_look_and_not_give(app: Flask, session: Session, ada: Person) -> None:
    with transaction(session):
        _, text = api_keys.create_staff_key(session, name="Support", role="support")
    support = Program(app, text)

    assert support.get("/admin/credits/transactions").status_code == 200
    given = {"customer_id": ada.customer_id, "amount": 5, "reason": "Goodwill"}
    assert support.post("/admin/credits/manual", given).status_code == 403


def test_nobody_there_is_422(staff: Program) -> None:
    answer = staff.post("/admin/credits/manual", {"customer_id": "cus_x", "amount": 5, "reason": "Goodwill"}, key="k")

    assert (answer.status_code, answer.get_json()["error"]["details"]["field"]) == (422, "customer_id")
