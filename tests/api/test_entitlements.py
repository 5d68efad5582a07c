"""/v1/entitlements and /v1/resources: what a plan allows, asked, acquired and released by the host (SPEC §12.4)."""

from __future__ import annotations

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.extensions import db
from tests.support.fake_provider import FakeProvider
from tests.support.people import Person
from tests.support.plans import offer, put_on
from tests.support.programs import Program, error


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(autouse=True)
def _plans(session: Session, ada: Person) -> None:
    offer(session, "agent")


def test_the_fourth_wallet_on_free_is_refused(host: Program) -> None:
    made = [host.post("/v1/resources/wallets", {"id": f"w{number}"}) for number in range(3)]

    again = host.post("/v1/resources/wallets", {"id": "w0"})
    fourth = host.post("/v1/resources/wallets", {"id": "w3"})

    assert [answer.status_code for answer in made] == [201, 201, 201]
    assert made[2].get_json() == {"kind": "wallets", "id": "w2", "in_use": 3, "limit": 3, "left": 0}
    assert (again.status_code, again.get_json()["in_use"]) == (200, 3)
    assert fourth.status_code == 403
    told = error(fourth)
    assert told["code"] == "TIER_LIMIT_EXCEEDED"
    assert (told["details"]["limit"], told["details"]["used"], told["details"]["upgrade"]) == (3, 3, "STARTER")


def test_released_is_released_and_twice_is_once(host: Program) -> None:
    host.post("/v1/resources/wallets", {"id": "w:0@example"})

    for _ in range(2):
        answer = host.delete("/v1/resources/wallets/w:0@example")
        assert (answer.status_code, answer.data) == (204, b"")

    assert host.post("/v1/resources/wallets", {"id": "w1"}).get_json()["in_use"] == 1


@pytest.mark.parametrize("resource_id", ["", "a b", "a/b", "..", "é", "x" * 201])
def test_an_id_that_no_address_could_hold_is_refused(host: Program, resource_id: str) -> None:
    answer = host.post("/v1/resources/wallets", {"id": resource_id})

    assert (answer.status_code, error(answer)["details"]["field"]) == (422, "id")


def test_a_kind_no_plan_counts_is_not_found(host: Program) -> None:
    assert host.post("/v1/resources/rockets", {"id": "r1"}).status_code == 404
    assert host.delete("/v1/resources/rockets/r1").status_code == 404


def test_another_customers_places_are_their_own(host: Program, bo: Person) -> None:
    for number in range(3):
        host.post("/v1/resources/wallets", {"id": f"w{number}"})

    theirs = host.in_the_name_of(bo)

    assert theirs.post("/v1/resources/wallets", {"id": "w0"}).status_code == 201
    assert theirs.delete("/v1/resources/wallets/w1").status_code == 204
    assert host.get("/v1/entitlements").get_json()["limits"][3]["used"] == 3


def test_the_check_says_yes_with_what_is_left(host: Program) -> None:
    host.post("/v1/resources/wallets", {"id": "w0"})

    answer = host.post("/v1/entitlements/check", {"feature": "wallets", "quantity": 2})

    assert answer.get_json() == {
        "feature": "wallets",
        "kind": "count",
        "allowed": True,
        "limit": 3,
        "used": 1,
        "left": 2,
        "resets_at": None,
        "plan": "FREE",
    }


def test_the_check_says_no_with_the_reason_and_the_way_on(host: Program) -> None:
    answer = host.post("/v1/entitlements/check", {"feature": "production_access"})

    told = answer.get_json()
    assert answer.status_code == 200
    assert (told["allowed"], told["reason"], told["upgrade"]) == (False, "TIER_LIMIT_EXCEEDED", "STARTER")
    assert told["message"].startswith("Free does not include production access.")
    assert told["remedy"] == "Move to Starter for production access."


def test_what_cannot_be_asked_is_told_by_field(host: Program) -> None:
    for body, field in (
        ({"feature": "rockets"}, "feature"),
        ({}, "feature"),
        ({"feature": "wallets", "quantity": 0}, "quantity"),
        ({"feature": "wallets", "extra": 1}, "extra"),
    ):
        answer = host.post("/v1/entitlements/check", body)
        assert (answer.status_code, error(answer)["details"]["field"]) == (422, field)


def test_all_limits_come_at_once(host: Program, adas: Program) -> None:
    told = host.get("/v1/entitlements").get_json()

    assert (told["plan"], told["status"]) == ("FREE", "free")
    assert [(one["feature"], one["limit"], one["left"]) for one in told["limits"]] == [
        ("reads", 60, 60),
        ("writes", 10, 10),
        ("production_access", 0, 0),
        ("wallets", 3, 3),
        ("agent_definitions", 3, 3),
        ("agent_executions", 50, 50),
        ("builder_messages", 10, 10),
    ]
    assert told["limits"][5]["resets_at"] == "2026-04-01T00:00:00Z"
    mine = {one["feature"]: one for one in adas.get("/v1/entitlements").get_json()["limits"]}
    assert (mine["reads"]["used"], mine["reads"]["resets_at"]) == (1, "2026-03-14T09:31:00Z")


def test_a_check_asks_little_of_the_database(host: Program, app) -> None:
    host.post("/v1/entitlements/check", {"feature": "wallets"})
    said: list[str] = []
    with app.app_context():
        engine = db.engine

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection, _cursor, statement, *_rest) -> None:
        said.append(statement)

    try:
        host.post("/v1/entitlements/check", {"feature": "agent_executions"})
    finally:
        event.remove(engine, "before_cursor_execute", _note)

    assert len([one for one in said if one.startswith("SELECT")]) <= 14, "\n".join(said)
    assert not [one for one in said if one.startswith(("INSERT", "UPDATE", "DELETE"))]


def test_a_change_to_a_smaller_plan_tells_what_would_be_too_much(
    host: Program, ada: Person, provider: FakeProvider
) -> None:
    put_on(ada, "GROWTH")
    for number in range(11):
        host.post("/v1/resources/wallets", {"id": f"w{number}"})

    told = host.get("/v1/billing/change-plan/preview?plan=STARTER").get_json()

    assert told["exceeds"] == [{"feature": "wallets", "in_use": 11, "limit": 10}]
