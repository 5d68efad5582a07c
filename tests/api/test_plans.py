"""GET /subscription/plans: the documented answer, in the documented envelope."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.catalogue import file, publish, shipped
from app.db import transaction
from tests.support.programs import Program


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """It only reads, by the reads that tests/catalogue runs on both databases."""
    return sqlite_url


def offer(session: Session, name: str) -> None:
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of(name), currency="usd"), actor="cli")


def test_it_answers_as_documented(session: Session, adas: Program) -> None:
    offer(session, "cred")

    answer = adas.get("/subscription/plans")

    told = answer.get_json()
    assert (answer.status_code, told["success"]) == (200, True)
    assert told["data"][0].pop("id").startswith("plan_")
    assert told["data"] == [
        {
            "name": "Pro",
            "description": "For everyday use, with credits every month.",
            "price_monthly": 999,
            "price_yearly": 9990,
            "credits_included": 10000,
            "features": ["Unlimited AI chat", "Priority support"],
        }
    ]


def test_a_custom_plan_has_no_price(session: Session, adas: Program) -> None:
    offer(session, "agent")

    plans = adas.get("/subscription/plans").get_json()["data"]

    assert [plan["name"] for plan in plans] == ["Free", "Starter", "Growth", "Enterprise"]
    assert [plan["price_monthly"] for plan in plans] == [0, 9900, 24900, None]


def test_without_plans_the_list_is_empty(adas: Program) -> None:
    assert adas.get("/subscription/plans").get_json() == {"success": True, "data": []}


def test_an_error_is_in_the_envelope_too(stranger: Program) -> None:
    answer = stranger.get("/subscription/plans")

    told = answer.get_json()
    assert answer.status_code == 401
    assert (told["success"], told["error"]["code"]) == (False, "UNAUTHORIZED")
