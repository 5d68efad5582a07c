"""Staff's calls: the plans and the coupons, read and changed by program (SPEC §12.2)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import coupons
from app.catalogue import file, publish, reads, shipped
from app.customers import api_keys
from app.db import transaction
from app.money import Money
from tests.support.people import Person
from tests.support.programs import Program

PLANS, COUPONS = "/admin/billing/plans", "/admin/billing/coupons"
PRO = {
    "name": "Pro",
    "description": "For everyday use, with credits every month.",
    "price_monthly": 999,
    "price_yearly": 9990,
    "credits_included": 10000,
    "features": ["Unlimited AI chat", "Priority support"],
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def put(program: Program, path: str, body: dict[str, Any]) -> TestResponse:
    return program._client().put(path, headers=program._headers(), json=body)


def told(answer: TestResponse, status: int = 200) -> Any:
    body = answer.get_json()
    assert (answer.status_code, body["success"]) == (status, True), body
    return body["data"]


def refused(answer: TestResponse, status: int) -> dict[str, Any]:
    body = answer.get_json()
    assert (answer.status_code, body["success"]) == (status, False), body
    return dict(body["error"])


def test_a_plan_made_with_the_documented_fields_is_sold(staff: Program, adas: Program) -> None:
    made = told(staff.post(PLANS, PRO), 201)

    [offered] = adas.get("/subscription/plans").get_json()["data"]
    assert offered == {"id": made["id"], **PRO}
    assert (made["key"], made["version"], made["sold"], made["limits"]) == ("pro", 1, False, [])
    assert told(staff.get(PLANS)) == [made]
    assert refused(staff.post(PLANS, PRO), 409)["details"]["field"] == "key"


def test_every_shipped_plan_sent_back_as_it_came_is_unchanged(session: Session, staff: Program) -> None:
    for name in shipped.names():
        with transaction(session):
            publish.apply(session, file.read(shipped.text_of(name), currency="usd"), actor="cli")
        before = reads.offered_plans(session)
        session.rollback()
        for plan in told(staff.get(PLANS)):
            body = {one: value for one, value in plan.items() if one not in ("id", "version", "sold", "retired_at")}
            body["limits"] = [
                {one: value for one, value in each.items() if value is not None} for each in body["limits"]
            ]
            if plan["retired_at"] is None:
                told(put(staff, f"{PLANS}/{plan['id']}", {one: v for one, v in body.items() if v is not None}))
        session.expire_all()
        assert reads.offered_plans(session) == before
        session.rollback()


def test_a_sold_plan_gets_a_new_version_and_what_is_left_out_of_ours_stays(session: Session, staff: Program) -> None:
    limits = [{"kind": "count", "key": "seats", "amount": 5}, {"kind": "rate", "key": "reads"}]
    made = told(staff.post(PLANS, PRO | {"limits": limits, "provider_ids": {"creem": {"product_id": "prod_1"}}}), 201)
    with transaction(session):
        publish.mark_sold(session, made["id"], 1)

    changed = told(put(staff, f"{PLANS}/{made['id']}", {"name": "Pro", "price_monthly": 1999}))

    assert (changed["version"], changed["price_monthly"], changed["price_yearly"]) == (2, 1999, None)
    assert (changed["limits"], changed["provider_ids"]) == (made["limits"], made["provider_ids"])
    assert [limit["amount"] for limit in changed["limits"]] == [5, None]
    assert reads.version_of(session, made["id"], 1).monthly_minor == 999


def test_a_plan_is_retired_and_offered_again(staff: Program, adas: Program) -> None:
    made = told(staff.post(PLANS, PRO), 201)

    retired = told(put(staff, f"{PLANS}/{made['id']}", PRO | {"retired": True}))
    still = told(put(staff, f"{PLANS}/{made['id']}", PRO | {"name": "Pro 2"}))

    assert retired["retired_at"] is not None
    assert still["retired_at"] is not None
    assert adas.get("/subscription/plans").get_json()["data"] == []
    assert told(put(staff, f"{PLANS}/{made['id']}", PRO | {"retired": False}))["retired_at"] is None


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("price_monthly", {"price_monthly": -1}),
        ("price_yearly", {"price_yearly": 10**14}),
        ("custom", {"custom": True}),
        ("features.0", {"features": ["x" * 201]}),
        ("limits.0.kind", {"limits": [{"kind": "cap", "key": "a"}]}),
        ("allowance:views", {"limits": [{"kind": "allowance", "key": "views", "amount": 1}]}),
        ("provider_ids", {"provider_ids": {"stripe": {"monthly": ""}}}),
        ("colour", {"colour": "red"}),
    ],
)
def test_a_mistake_names_its_field(staff: Program, field: str, wrong: dict[str, Any]) -> None:
    assert refused(staff.post(PLANS, PRO | wrong), 422)["details"]["field"] == field


def test_a_plan_that_is_not_there(staff: Program) -> None:
    assert refused(put(staff, f"{PLANS}/plan_none", PRO), 404)["code"] == "NOT_FOUND"


def test_a_coupon_made_by_program_works(session: Session, staff: Program, ada: Person) -> None:
    body = {"code": "spring", "type": "percent", "value": 25, "plans": ["pro"], "ends_at": "2026-04-01T02:00:00+02:00"}

    made = told(staff.post(COUPONS, body), 201)

    session.rollback()  # an older read would not see it
    price = Money(999, "usd")
    off = coupons.quote(session, "SPRING", customer_id=ada.customer_id, what="plan:pro", price=price).off
    session.rollback()
    assert off == Money(250, "usd")
    assert (made["code"], made["ends_at"], made["status"]) == ("SPRING", "2026-04-01T00:00:00Z", "active")
    assert (made["plans"], made["packs"], made["topups"]) == (["pro"], None, False)
    assert told(staff.get(COUPONS)) == [made]
    assert refused(staff.post(COUPONS, body), 409)["details"]["field"] == "code"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("value", {"value": 101}),
        ("type", {"type": "half"}),
        ("months", {"duration": "repeating"}),
        ("duration", {"duration": "forever", "packs": []}),
        ("code", {"code": "a b"}),
        ("ends_at", {"starts_at": "2026-05-01T00:00:00Z", "ends_at": "2026-04-01T00:00:00Z"}),
        ("ends_at", {"ends_at": "0001-01-01T00:00:00+23:59"}),
        ("max_per_customer", {"max_per_customer": 0}),
    ],
)
def test_a_coupons_mistake_names_its_field(staff: Program, field: str, wrong: dict[str, Any]) -> None:
    body = {"code": "SPRING", "type": "percent", "value": 25}

    assert refused(staff.post(COUPONS, body | wrong), 422)["details"]["field"] == field


def test_finance_reads_and_changes_nothing(app: Flask, session: Session) -> None:
    with transaction(session):
        _, text = api_keys.create_staff_key(session, name="Finance", role="finance")
    finance = Program(app, text)

    assert [finance.get(path).status_code for path in (PLANS, COUPONS)] == [200, 200]
    assert refused(finance.post(PLANS, PRO), 403)["code"] == "FORBIDDEN"
    assert refused(finance.post(COUPONS, {"code": "FREE", "type": "percent", "value": 100}), 403)["code"] == "FORBIDDEN"
