"""POST /v1/usage"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import ledger
from app.catalogue import file, publish, shipped
from app.customers import api_keys
from app.db import transaction
from tests.support.people import Person
from tests.support.programs import Program, error

PATH = "/v1/usage"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The shapes of answers are the same on every database; counting is tested on both in tests/metering."""
    return sqlite_url


@pytest.fixture
def catalogue(session: Session) -> Callable[[str], None]:
    def put(name: str) -> None:
        with transaction(session):
            publish.apply(session, file.read(shipped.text_of(name), currency="usd"), actor="test")

    return put


def event(number: int = 1, meter: str = "passports", **more: Any) -> dict[str, Any]:
    return {"id": f"ev-{number}", "meter": meter, "quantity": 1, **more}


def test_it_says_what_became_of_each(host: Program, catalogue: Callable[[str], None]) -> None:
    catalogue("agent")
    full = event(1, "agent_executions", quantity=50)
    over = event(2, "agent_executions", source="agent-7", occurred_at="2026-03-14T10:29:00+01:00")

    answer = host.post(PATH, {"events": [full, full, over, event(3, "nothing")]})

    assert answer.status_code == 200
    told = answer.get_json()
    assert {name: told[name] for name in ("accepted", "duplicates")} == {"accepted": 1, "duplicates": 1}
    assert [(one["id"], one["code"]) for one in told["refused"]] == [
        ("ev-2", "TIER_LIMIT_EXCEEDED"),
        ("ev-3", "UNKNOWN_METER"),
    ]
    assert told["refused"][0]["message"].startswith("Free includes 50 agent executions a month. 50 are used.")
    assert told["refused"][0]["details"]["resets_at"] == "2026-04-01T00:00:00Z"
    assert host.get("/v1/billing/balance").get_json()["usage"] == {"agent_executions": 50}


def test_one_event_alone_gets_its_own_refusal(host: Program, ada: Person, catalogue: Callable[[str], None]) -> None:
    catalogue("oper")
    host.post("/v1/wallet/debits", {"amount_micros": 5_000_000, "description": "All of it"})
    assert host.post(PATH, {"events": [event(1, quantity=50_000)]}).status_code == 200

    empty = host.post(PATH, {"events": [event(2)]})
    unknown = host.post(PATH, {"events": [event(3, "nothing")]})

    assert (empty.status_code, error(empty)["code"]) == (402, "INSUFFICIENT_CREDITS")
    assert error(empty)["details"]["needed_micros"] == 100
    assert (unknown.status_code, error(unknown)["code"]) == (422, "UNKNOWN_METER")
    assert host.post(PATH, {"events": [event(1)]}).get_json() == {"accepted": 0, "duplicates": 1, "refused": []}


def test_a_thousand_events_come_in_one_body_and_no_more(host: Program, catalogue: Callable[[str], None]) -> None:
    catalogue("view")
    many = [event(number, "views", source="shop " * 20) for number in range(1_000)]

    assert host.post(PATH, {"events": many}).get_json()["accepted"] == 1_000
    assert host.post(PATH, {"events": [*many, event(1_000, "views")]}).status_code == 422
    assert host.post(PATH, {"events": []}).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 0},
        {"quantity": "1"},
        {"quantity": 1.5},
        {"quantity": 10**12 + 1},
        {"id": ""},
        {"id": "x" * 256},
        {"source": None},
        {"occurred_at": 1_700_000_000},
        {"occurred_at": "2026-03-14T09:00:00"},
        {"occurred_at": "2026-02-30T09:00:00Z"},
        {"occurred_at": "9999-12-31T23:59:59-14:00"},
        {"occurred_at": "0001-01-01T00:00:00+14:00"},
        {"unit": "view"},
    ],
)
def test_what_makes_no_sense_is_refused_with_the_field(
    host: Program, catalogue: Callable[[str], None], wrong: dict[str, Any]
) -> None:
    catalogue("view")

    answer = host.post(PATH, {"events": [event(1, "views", **wrong)]})

    assert answer.status_code == 422
    assert error(answer)["details"]["field"].split(".")[-1] == next(iter(wrong))


def test_it_takes_a_service_key_that_may_report_usage(
    adas: Program, ada: Person, program: Callable[[str], Program]
) -> None:
    with transaction(ada.session):
        _, text = api_keys.create_service_key(ada.session, name="Reader", scopes=("billing:read",))

    assert adas.post(PATH, {"events": [event()]}).status_code == 403
    assert program(text).in_the_name_of(ada).post(PATH, {"events": [event()]}).status_code == 403


def test_what_usage_holds_of_the_wallet_is_nobodys_to_release(
    host: Program, ada: Person, catalogue: Callable[[str], None]
) -> None:
    catalogue("oper")
    host.post(PATH, {"events": [event(1, quantity=50_010)]})
    with transaction(ada.session):
        [hold] = ledger.live_holds(ada.session, ada.wallet)

    for call, body in (("release", None), ("settle", {"amount_micros": 0})):
        assert host.post(f"/v1/wallet/holds/{hold.id}/{call}", body).status_code == 404
    assert host.get("/v1/billing/balance").get_json()["available_cents"] == 499
