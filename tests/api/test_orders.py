"""`GET /orders`, `GET /orders/:id`, and buying a credit pack by `POST /payment/create-session` (SPEC §12.2)."""

from __future__ import annotations

import pytest

from app import credits
from app.catalogue import file, publish, shipped
from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.flows import settle
from app.payments import inbox, orders
from tests.support.fake_provider import heard, told


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture(autouse=True)
def view(session, provider):
    """The catalogue, and a provider to pay through."""
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")


PACK = {"channel": "stripe", "type": "credit_pack", "pack_id": "medium"}


def ask(host, key="k", **more):
    return host.post("/payment/create-session", PACK | more, key=key)


def test_a_pack_gets_a_page_and_its_order_is_told(host, provider):
    url = ask(host).get_json()["data"]["url"]

    [order] = host.get("/orders").get_json()["data"]
    assert order["checkout_url"] == url
    facts = {name: order[name] for name in ("type", "status", "description", "amount", "credits", "channel")}
    assert facts == {
        "type": "credit_pack", "status": "open", "description": "500 credits", "amount": 4_500, "credits": 500,
        "channel": "stripe",
    }  # fmt: skip
    assert (order["paid_at"], order["invoice_id"], order["failure"]) == (None, None, None)
    one = host.get(f"/orders/{order['id']}").get_json()
    assert one == {"success": True, "data": order}
    [page] = provider.pages.values()
    assert page.request.success_url.endswith(f"/invoices/orders/{order['id']}")


def test_an_automatic_top_up_is_told_as_a_top_up(host, ada, session):
    with transaction(session):
        orders.open_order(
            session,
            customer_id=ada.customer_id,
            kind="auto_topup",
            amount_minor=2_500,
            currency="usd",
            channel="stripe",
            form_key="auto_topup:1",
            created_by="system",
        )

    [order] = host.get("/orders?type=topup").get_json()["data"]

    assert (order["type"], order["description"], order["amount"]) == ("topup", "Automatic top-up", 2_500)


def test_the_payment_is_told_once_it_is_there(host, ada, session, sessions, provider):
    ask(host, success_url="/plan")
    [order] = host.get("/orders").get_json()["data"]
    news = heard(told("paid", order["id"], amount=4_500))
    with transaction(session):
        inbox.keep(session, provider="stripe", verified=news.verified, body=news.body, headers={})
    had = credits.balance(session, ada.customer_id).available
    session.rollback()

    settle.apply_pending(sessions, {"stripe": provider})

    paid = host.get(f"/orders/{order['id']}").get_json()["data"]
    assert (paid["status"], paid["checkout_url"]) == ("paid", None)
    assert paid["paid_at"].endswith("Z")
    assert credits.balance(session, ada.customer_id).available == had + 500


def test_the_packs_key_may_stand_where_plans_are_named(host):
    body = {"channel": "stripe", "type": "credit_pack", "plan_id": "small"}

    assert host.post("/payment/create-session", body, key="p").status_code == 200
    assert host.get("/orders").get_json()["data"][0]["amount"] == 1_000


def test_the_same_key_is_the_same_page_and_another_pack_is_refused(host):
    first, again = ask(host), ask(host)
    other = ask(host, pack_id="small")

    assert first.get_json() == again.get_json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.get_json()["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_a_coupon_takes_off_and_one_for_everything_leads_straight_on(host, session):
    with transaction(session):
        for code, percent in (("HALF", 50), ("ALL", 100)):
            issue.make(session, Terms(code, "percent", percent, Limits(code), scope={"packs": []}), actor="usr_s")

    ask(host, coupon="half", key="a")
    free = host.post("/payment/create-session", PACK | {"coupon": "ALL", "success_url": "/credits"}, key="b")

    assert free.get_json()["data"]["url"].endswith("/credits")
    told_of = {order["coupon"]: (order["amount"], order["status"]) for order in host.get("/orders").get_json()["data"]}
    assert told_of == {"HALF": (2_250, "open"), "ALL": (0, "paid")}


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (PACK | {"pack_id": "nothing"}, "NOT_FOUND", "pack_id"),
        (PACK | {"amount_cents": 5_000}, "INVALID_REQUEST", "amount_cents"),
        (PACK | {"interval": "month"}, "INVALID_REQUEST", "interval"),
        (PACK | {"plan_id": "growth"}, "INVALID_REQUEST", "plan_id"),
        (PACK | {"coupon": "NOPE"}, "COUPON_UNKNOWN", "coupon"),
        (PACK | {"channel": "creem"}, "INVALID_REQUEST", "channel"),
        ({"channel": "stripe", "type": "credit_pack"}, "INVALID_REQUEST", "pack_id"),
        (PACK | {"type": "topup", "amount_cents": 5_000}, "INVALID_REQUEST", "pack_id"),
        ({"channel": "stripe", "type": "topup", "amount_cents": 5_000, "coupon": "X"}, "INVALID_REQUEST", "coupon"),
    ],
)
def test_what_cannot_be_bought_is_told_with_its_field(host, body, code, field):
    answer = host.post("/payment/create-session", body, key="k")

    assert answer.status_code in (404, 409, 422)
    told_of = answer.get_json()
    assert (told_of["success"], told_of["error"]["code"]) == (False, code)
    assert told_of["error"].get("details", {}).get("field", field) == field
    assert host.get("/orders").get_json()["data"] == []


def test_the_list_is_paged_and_filtered(host):
    for key in "abc":
        ask(host, key=key)
    host.post("/payment/create-session", {"channel": "stripe", "type": "topup", "amount_cents": 5_000}, key="t")

    whole = [order["id"] for order in host.get("/orders").get_json()["data"]]

    assert len(whole) == 4
    assert [order["id"] for order in host.get("/orders?limit=2&offset=1").get_json()["data"]] == whole[1:3]
    assert [order["amount"] for order in host.get("/orders?type=topup").get_json()["data"]] == [5_000]
    assert host.get("/orders?limit=0").status_code == 422
    assert host.get("/orders?kind=topup").status_code == 422
    assert host.get("/orders/ord_none").status_code == 404
