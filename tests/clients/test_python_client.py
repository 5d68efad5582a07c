"""clients/python against the real application, over real HTTP."""

from __future__ import annotations

import inspect
import json
import re
import time
from collections.abc import Callable
from typing import Any, NotRequired, get_origin, get_type_hints, is_typeddict

import httpx
import purser_client
import pytest
from flask import Flask
from purser_client import (
    Conflict,
    Event,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    PaymentNeeded,
    Purser,
    RateLimited,
    ServerFault,
    Unauthorized,
    Unreachable,
    WebhookInvalid,
    answers,
    billing_answers,
    verify_webhook,
)
from sqlalchemy.orm import Session

from app import credits, outgoing
from app.catalogue import file, publish
from app.db import transaction
from app.outgoing import endpoints, signing
from tests.clients.conftest import Network
from tests.support.fake_provider import FakeProvider
from tests.support.people import Person

# The paths of SPEC §12.4, of which the client may leave out none.
OF_THE_HOST = (
    "/v1/usage", "/v1/entitlements", "/v1/resources", "/v1/charges", "/v1/wallet", "/v1/credits", "/v1/customers",
    "/v1/portal-sessions", "/v1/webhook-deliveries",
)  # fmt: skip
SOLD = """
[meters.views]
name = "Views"
unit = "view"
overage = "invoice"
overage_price = "0.002"

[actions.ai_chat]
name = "AI chat"
credits = 50

[packs.small]
name = "500 credits"
credits = 500
price = "5.00"

[plans.free]
rank = 0
name = "Free"
monthly = "0.00"
allowances = { views = 1_000 }
counts = { wallets = 1 }

[plans.starter]
rank = 1
name = "Starter"
monthly = "10.00"
allowances = { views = 5_000 }
counts = { wallets = 5 }

[plans.growth]
rank = 2
name = "Growth"
monthly = "30.00"
allowances = { views = 50_000 }
counts = { wallets = "unlimited" }
"""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def sold(app: Flask, session: Session, ada: Person) -> Person:
    """Ada, with $105 and 1,500 credits, where the plans above are sold by a provider in memory."""
    fake = FakeProvider()
    app.extensions["providers"] = {fake.name: fake}
    with transaction(session):
        publish.apply(session, file.read(SOLD, currency="usd"), actor="test")
        credits.grant(session, ada.customer_id, 1_500, source="pack", key="pack:1", actor="stripe")
    ada.gets(10_000)
    return ada


def test_a_customer_is_opened_once_and_brought_to_its_pages(purser: Purser) -> None:
    made = purser.open_customer("team-42", name="Alder & Finch", email="ada@alder.example")

    assert purser.open_customer("team-42", name="Alder & Finch", email="ada@alder.example") == made
    assert purser.get_customer("team-42") == purser.get_customer(made["id"]) == made
    link = purser.portal_session("team-42", email="ada@alder.example", path="/wallet")
    assert link["url"].startswith("http://localhost/portal/")
    with pytest.raises(Conflict) as refused:
        purser.open_customer("team-42", name="Somebody else", email="ada@alder.example")
    assert refused.value.details["customer"] == made["id"]


def test_a_customer_uses_and_pays(purser: Purser, sold: Person) -> None:
    team = purser.customer(sold.customer_id)
    assert [one["feature"] for one in team.entitlements()["limits"]] == ["wallets", "views"]

    assert team.check("views", 1_000)["allowed"]
    used: answers.UsageEvent = {"id": "a", "meter": "views", "quantity": 999}
    told = team.report_usage([used, {"id": "b", "meter": "no", "quantity": 1}])
    assert (told["accepted"], [one["id"] for one in told["refused"]]) == (1, ["b"])
    assert team.report_usage([used])["duplicates"] == 1

    assert team.acquire("wallets", "w:1?#%")["left"] == 0
    with pytest.raises(LimitReached) as full:
        team.acquire("wallets", "w-2")
    assert full.value.details["upgrade"] == "starter"
    team.release("wallets", "w:1?#%")

    assert team.charge("translate", list_price_micros=120_000, key="c")["amount_micros"] == -120_000
    assert team.debit("Print", amount_cents=250)["amount_cents"] == -250
    hold = team.hold(amount_micros=2_000_000, description="A job")
    assert team.get_hold(hold["id"])["state"] == "held"
    assert team.settle_hold(hold["id"], 1_250_000)["settled_micros"] == 1_250_000
    assert team.release_hold(team.hold(amount_cents=100)["id"])["state"] == "released"
    assert team.balance()["balance_micros"] == 105_000_000 - 120_000 - 2_500_000 - 1_250_000

    assert (team.quote("ai_chat", 2)["cost"], team.spend("ai_chat", 2)["balance_after"]) == (100, 1_400)
    assert (team.credits(), team.credit_transactions(limit=1)[0]["amount"]) == (1_400, -100)


def test_it_reads_on_through_all_pages(purser: Purser, sold: Person) -> None:
    team = purser.customer(sold.customer_id)
    for number in range(5):
        team.debit(f"Print {number}", amount_cents=1)

    found = [one["description"] for one in team.transactions(type="debit", page_size=2)]

    assert found == [f"Print {number}" for number in (4, 3, 2, 1, 0)]


def test_a_plan_is_chosen_changed_and_cancelled(purser: Purser, sold: Person) -> None:
    assert [plan["name"] for plan in purser.plans()] == ["Free", "Starter", "Growth"]
    billing = purser.customer(sold.customer_id).billing

    assert billing.subscribe("starter", payment_method="WALLET", key="p")["status"] == "active"
    preview = billing.preview_change("growth")
    assert preview["due_now_cents"] == 2_000
    assert billing.change_plan("growth", change_id=preview["change_id"])["plan"] == "growth"
    assert billing.change_plan("starter")["pending_change"] is not None
    assert billing.undo_change()["pending_change"] is None
    assert billing.cancel()["ends_at"] is not None
    assert billing.resume()["ends_at"] is None
    assert billing.retry_payment()["invoice_id"] is None
    invoices = billing.invoices(status="paid")["invoices"]
    assert {billing.invoice(one["id"])["total_cents"] for one in invoices} == {1_000, 2_000}
    assert billing.state()["payment_method"] == "WALLET"


def test_money_is_paid_in_at_a_page(purser: Purser, sold: Person) -> None:
    billing = purser.customer(sold.customer_id).billing

    page = billing.top_up(5_000, key="t")

    assert page == billing.top_up(5_000, key="t")
    assert billing.order(billing.orders()[0]["id"])["checkout_url"] == page["checkout_url"]
    assert billing.buy_pack("small").startswith("http")


def test_what_was_sent_is_found_and_sent_again(purser: Purser, session: Session, ada: Person) -> None:
    with transaction(session):
        endpoints.open_endpoint(session, "https://example.com/hooks", (), private=False, actor="system")
        outgoing.emit(session, ada.customer_id, "wallet.low", {"available_micros": 1}, key="a")

    [one] = purser.deliveries(state="pending", customer=ada.customer_id)["deliveries"]

    assert purser.delivery(one["id"])["message"]["type"] == "wallet.low"
    assert purser.resend(one["id"])["state"] == "pending"


def test_no_is_an_exception_by_its_kind(connect: Callable[[str], Purser], purser: Purser, sold: Person) -> None:
    team = purser.customer(sold.customer_id)
    with pytest.raises(NotFound) as missing:
        purser.get_customer("nobody")
    assert (missing.value.status, missing.value.code) == (404, "NOT_FOUND")
    assert missing.value.request_id
    with pytest.raises(Invalid) as invalid:
        team.debit("", amount_cents=1)
    assert invalid.value.field == "description"
    with pytest.raises(PaymentNeeded) as poor:
        team.debit("A yacht", amount_cents=100_000_000)
    assert poor.value.details["available_micros"] == 105_000_000
    with pytest.raises(Unauthorized):
        connect("pur_svc_wrong").get_customer("nobody")
    with pytest.raises(Forbidden):
        connect(sold.key()).get_customer("nobody")
    team.debit("One", amount_cents=1, key="k")
    with pytest.raises(Conflict) as reused:
        team.debit("Two", amount_cents=2, key="k")
    assert reused.value.code == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("fault", ["lose request", "lose answer", (502, {}), (429, {"Retry-After": "7"}), (500, {})])
def test_a_lost_answer_is_asked_for_again_and_nothing_is_taken_twice(
    purser: Purser, network: Network, sold: Person, fault: Any
) -> None:
    before = sold.balance()
    network.faults = [fault, fault]

    taken = purser.customer(sold.customer_id).debit("Print", amount_cents=250)

    assert taken["amount_cents"] == -250
    assert sold.balance() == before - 2_500_000
    sent = [key for _, path, key in network.seen if path == "/v1/wallet/debits"]
    assert len(sent) == 3
    assert len(set(sent)) == 1
    if isinstance(fault, tuple) and fault[1]:
        assert network.waits == [7.0, 7.0]
    else:
        assert 0 < network.waits[0] < 1
        assert len(network.waits) == 2


def test_it_gives_up_after_its_tries(purser: Purser, network: Network, sold: Person) -> None:
    for faults, kind in (
        (["lose request"] * 4, Unreachable),
        ([(503, {})] * 4, ServerFault),
        ([(429, {"Retry-After": "1"})] * 4, RateLimited),
        ([(429, {"Retry-After": "3600"})], RateLimited),  # longer than anybody wants to hang: at once
    ):
        network.faults = list(faults)
        with pytest.raises(kind):
            purser.customer(sold.customer_id).balance()
        assert network.faults == []


def test_a_refusal_is_not_tried_again(purser: Purser, network: Network) -> None:
    with pytest.raises(NotFound):
        purser.get_customer("nobody")

    assert len(network.seen) == 1


def test_it_verifies_what_purser_signs() -> None:
    secret, body = signing.new_secret(), json.dumps(
        {"type": "wallet.low", "timestamp": "2026-03-14T09:30:00Z", "data": {"customer": "cus_1", "external_id": "t"}}
    ).encode()  # fmt: skip
    headers = signing.headers([secret], "evt_1", int(time.time()), body)

    told = verify_webhook(secret, {name.title(): value for name, value in headers.items()}, body)

    expected = {"customer": "cus_1", "external_id": "t"}
    assert told == Event("evt_1", "wallet.low", "2026-03-14T09:30:00Z", "cus_1", "t", expected)
    both = signing.headers([signing.new_secret(), secret], "evt_1", 1_000, body)
    assert verify_webhook([signing.new_secret(), secret], both, body, now=1_299.0).id == "evt_1"


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "evt_2"}, {"webhook-timestamp": "1001"}, {"webhook-timestamp": "x"}, {"webhook-id": ""},
        {"webhook-signature": ""}, {"webhook-signature": "v1,AAAA"}, {"webhook-signature": "v1,ü"},
        {"body": b"{}"}, {"now": 1_301.0}, {"now": 699.0}, {"secret": "whsec_AAAA"},
    ],
    ids=str,
)  # fmt: skip
def test_it_believes_nothing_else(changed: dict[str, Any]) -> None:
    secret, body = signing.new_secret(), b'{"type": "wallet.low", "timestamp": "", "data": {"customer": "cus_1"}}'
    headers = signing.headers([secret], "evt_1", 1_000, body)
    sent = {"secret": secret, "body": body, "now": 1_000.0, **headers, **changed}

    with pytest.raises(WebhookInvalid):
        verify_webhook(sent.pop("secret"), sent, sent.pop("body"), now=sent.pop("now"))


def test_it_leaves_out_no_call_for_the_host(app: Flask) -> None:
    asked: list[tuple[str, str]] = []
    anything = {"data": {"balance": 1, "url": ""}, "url": "", "clientSecret": "", "payment_method": None}

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        asked.append((request.method, app.url_map.bind("x").match(path, request.method, return_rule=True)[0].rule))
        return httpx.Response(200, json={**anything, "transactions": [], "next_cursor": None})

    with Purser("http://x", "k", http=httpx.Client(transport=httpx.MockTransport(answer))) as client:
        team = client.customer("c")
        for thing in (client, team, team.billing):
            call_everything(thing)

    paths = app.extensions["openapi"]()["paths"]
    there = {
        (verb.upper(), re.sub(r"{(\w+)}", r"<\1>", path))
        for path, item in paths.items()
        for verb in item
        if path.startswith(OF_THE_HOST)
    }
    assert there - set(asked) == set()


def call_everything(thing: object) -> None:
    """Call each public method, with something for what it must be given."""
    some = {"str": "x", "int": 1}
    for name, method in inspect.getmembers(thing, inspect.ismethod):
        if name.startswith("_") or name in ("close", "customer"):
            continue
        needed = [one for one in inspect.signature(method).parameters.values() if one.default is one.empty]
        told = method(**{one.name: some.get(one.annotation, []) for one in needed})
        list(told if inspect.isgenerator(told) else ())


def test_its_types_are_those_of_the_document(app: Flask) -> None:
    schemas = dict(app.extensions["openapi"]()["components"]["schemas"])
    schemas["LimitAnswer"] = next(one for name, one in schemas.items() if name.endswith("entitlements__LimitAnswer"))
    for name, kind in {**vars(answers), **vars(billing_answers)}.items():
        if is_typeddict(kind):
            there, required = schemas[name]["properties"], set(schemas[name]["required"])
            fields = get_type_hints(kind, include_extras=True)
            assert set(fields) <= set(there), name
            assert {field for field, hint in fields.items() if get_origin(hint) is not NotRequired} <= required, name


def test_all_it_names_is_there() -> None:
    assert all(hasattr(purser_client, name) for name in purser_client.__all__)
