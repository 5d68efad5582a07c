"""SPEC §12.2 and §12.3, call by call: the request as written there, the answer with its fields, types and status.

The call to models, of §12.3, is in test_llm_proxy.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import credits
from app.db import transaction
from app.payments import orders
from tests.support.documented import INSTANT, URL, Text, enveloped, told
from tests.support.fake_provider import FakeProvider
from tests.support.people import Person
from tests.support.plans import offer
from tests.support.programs import Program

TRANSACTION = {"id": Text("wtxn_.+"), "type": str, "amount": int, "description": str, "created_at": INSTANT}
ORDER = {
    "id": Text("ord_.+"),
    "type": str,
    "status": str,
    "description": str,
    "amount": int,
    "currency": str,
    "credits": int | None,
    "coupon": str | None,
    "channel": str,
    "checkout_url": str | None,
    "invoice_id": str | None,
    "failure": str | None,
    "created_at": INSTANT,
    "paid_at": str | None,
}
PRO = {
    "name": "Pro",
    "price_monthly": 999,
    "price_yearly": 9990,
    "credits_included": 10000,
    "features": ["Unlimited AI chat", "Priority support"],
}
PLAN = {"id": Text("plan_.+"), "description": str, **PRO}
STAFF_PLAN = {
    **PLAN,
    "key": str,
    "rank": int,
    "custom": bool,
    "welcome_credits": int,
    "downgrade": str,
    "limits": list,
    "provider_ids": dict,
    "version": int,
    "sold": bool,
    "retired_at": str | None,
}
COUPON = {
    "id": Text("coup_.+"),
    "code": str,
    "name": str,
    "type": "percent",
    "value": 20,
    "currency": str | None,
    "duration": str,
    "months": int | None,
    "max_redemptions": int | None,
    "max_per_customer": int,
    "redeemed": int,
    "given": int,
    "starts_at": str | None,
    "ends_at": str | None,
    "plans": list,
    "packs": list,
    "topups": bool,
    "status": "active",
}
CONFIG = {
    "enabled": bool,
    "daily_credits": int,
    "bonuses": [{"every": int, "credits": int}],
    "expires_after_days": int | None,
    "max_balance": int | None,
    "who": str,
    "day_of": str,
    "updated_at": INSTANT,
}
FAILURE = {"success": False, "error": {"code": str, "message": str}}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(autouse=True)
def catalogue(session: Session) -> None:
    offer(session, "cred")


def put(program: Program, path: str, body: dict[str, Any]) -> Any:
    return program._client().put(path, headers=program._headers(), json=body)


def test_credits(adas: Program, ada: Person) -> None:
    with transaction(ada.session):
        credits.grant(ada.session, ada.customer_id, 1500, source="pack", key="pack", actor="stripe")

    told(adas.get("/credits/balance"), enveloped({"balance": 1500}))
    told(adas.get("/credits/transactions"), enveloped([TRANSACTION]))
    told(adas.get("/credits/transactions?limit=1&offset=0"), enveloped([TRANSACTION]))


def test_orders(adas: Program, ada: Person) -> None:
    with transaction(ada.session):
        order = orders.open_order(
            ada.session,
            customer_id=ada.customer_id,
            amount_minor=5000,
            currency="usd",
            channel="stripe",
            form_key="a-form",
            created_by=ada.id,
        )

    told(adas.get("/orders"), enveloped([ORDER]))
    told(adas.get(f"/orders/{order.id}"), enveloped(ORDER))
    told(adas.get("/orders/ord_none"), FAILURE, 404)


def test_plans(adas: Program) -> None:
    told(adas.get("/subscription/plans"), enveloped([PLAN]))


def test_the_check_in(adas: Program, staff: Program) -> None:
    config = {"enabled": True, "daily_credits": 10, "bonuses": [{"every": 7, "credits": 30}], "who": "everyone"}
    day = {"date": Text(r"\d{4}-\d\d-\d\d"), "time_zone": str, "credits": 10, "bonus": 0, "streak": 1}

    told(put(staff, "/admin/checkin/config", config), enveloped(CONFIG))
    told(staff.get("/admin/checkin/config"), enveloped(CONFIG))
    told(adas.post("/checkin"), enveloped({**day, "balance": int, "next_at": INSTANT}))
    again = adas.post("/checkin")
    assert again.get_json()["error"]["details"]["next_at"]
    assert again.status_code == 409


@pytest.mark.parametrize("what", [{"type": "credit_pack", "plan_id": "small"}, {"type": "topup", "amount_cents": 1000}])
def test_a_payment_session(adas: Program, provider: FakeProvider, what: dict[str, Any]) -> None:
    body = {"channel": "stripe", "success_url": "/credits?paid=1", "cancel_url": "http://localhost/credits", **what}

    told(adas.post("/payment/create-session", body), enveloped({"url": URL}))


def test_a_payment_session_for_a_plan_and_the_portal(theirs: Program) -> None:
    plan = next(one for one in theirs.get("/subscription/plans").get_json()["data"] if one["name"] == "Starter")
    body = {"channel": "stripe", "type": "subscription", "plan_id": plan["id"]}
    body |= {"success_url": "/plan?done=1", "cancel_url": "/plan"}

    told(theirs.post("/payment/create-session", body), enveloped({"url": URL}))
    told(theirs.post("/subscription/portal", {"return_url": "/plan"}), enveloped({"url": URL}))
    told(theirs.post("/subscription/portal"), enveloped({"url": URL}))


@pytest.mark.parametrize("channel", ["stripe", "lemonsqueezy", "polar", "creem"])
def test_a_webhook_without_a_signature(stranger: Program, channel: str) -> None:
    refused = stranger.post(f"/payment/webhook/{channel}", {"id": "evt_1"})

    assert refused.status_code in (400, 404)  # 404: a channel that is not set up here
    assert refused.get_json()["success"] is False


def test_staffs_plans(staff: Program) -> None:
    [plan] = told(staff.get("/admin/billing/plans"), enveloped([STAFF_PLAN]))["data"]
    told(put(staff, f"/admin/billing/plans/{plan['id']}", {**PRO, "description": "More."}), enveloped(STAFF_PLAN))
    made = {**PRO, "name": "Pro Two", "description": "For teams."}

    told(staff.post("/admin/billing/plans", made), enveloped({**STAFF_PLAN, "name": "Pro Two"}), 201)


def test_staffs_coupons(staff: Program) -> None:
    told(
        staff.post("/admin/billing/coupons", {"code": "HARBOR20", "type": "percent", "value": 20}),
        enveloped(COUPON),
        201,
    )
    told(staff.get("/admin/billing/coupons"), enveloped([COUPON]))


def test_staffs_credits(staff: Program, ada: Person) -> None:
    line = {**TRANSACTION, "customer_id": ada.customer_id, "balance_after": int}
    body = {"customer_id": ada.customer_id, "amount": 500, "reason": "Goodwill"}

    told(staff.post("/admin/credits/manual", body), enveloped(line))
    told(staff.get("/admin/credits/transactions"), enveloped([line]))


def test_errors(adas: Program, stranger: Program) -> None:
    told(stranger.get("/credits/balance"), FAILURE, 401)
    refused = adas.get("/admin/billing/plans").get_json()

    assert (refused["success"], refused["error"]["code"]) == (False, "FORBIDDEN")


def test_topping_up_as_hosting_dashboards_do(adas: Program, provider: FakeProvider) -> None:
    told(adas.post("/api/wallet/topup", {"amountCents": 1000}), {"url": URL})
