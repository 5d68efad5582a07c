"""Requests made up from the OpenAPI document: no 5xx, no status or shape the document does not name."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.orm import Session

from app import credits, notices
from app.catalogue import check_in
from app.catalogue.models import Action
from app.catalogue.terms import CheckInTerms
from app.db import transaction
from app.outgoing import endpoints
from app.outgoing.models import WebhookDelivery
from app.wallet import adjust
from tests.support.plans import offer
from tests.support.programs import Program

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CALLS = [
    ("GET", "/v1/billing/balance"),
    ("GET", "/v1/billing/transactions"),
    ("POST", "/v1/billing/topup"),
    ("POST", "/api/wallet/topup"),
    ("POST", "/v1/billing/refund/{txn_id}"),
    ("GET", "/v1/billing/balance-refund"),
    ("POST", "/v1/billing/balance-refund"),
    ("DELETE", "/v1/billing/balance-refund"),
    ("POST", "/api/llm/proxy"),
    ("POST", "/v1/charges"),
    ("POST", "/v1/wallet/debits"),
    ("POST", "/v1/wallet/holds"),
    ("GET", "/v1/wallet/holds/{hold_id}"),
    ("POST", "/v1/wallet/holds/{hold_id}/settle"),
    ("POST", "/v1/wallet/holds/{hold_id}/release"),
    ("POST", "/v1/customers"),
    ("POST", "/v1/portal-sessions"),
    ("GET", "/v1/webhook-deliveries"),
    ("GET", "/v1/webhook-deliveries/{delivery_id}"),
    ("POST", "/v1/webhook-deliveries/{delivery_id}/resend"),
    ("POST", "/v1/usage"),
    ("GET", "/v1/entitlements"),
    ("POST", "/v1/entitlements/check"),
    ("POST", "/v1/resources/{kind}"),
    ("DELETE", "/v1/resources/{kind}/{resource_id}"),
    ("GET", "/v1/customers/{customer_id}"),
    ("GET", "/subscription/plans"),
    ("POST", "/subscription/portal"),
    ("POST", "/payment/create-session"),
    ("GET", "/orders"),
    ("GET", "/orders/{order_id}"),
    ("GET", "/v1/billing"),
    ("GET", "/v1/billing/invoices"),
    ("GET", "/v1/billing/invoices/{invoice_id}"),
    ("POST", "/v1/billing/subscribe"),
    ("POST", "/v1/billing/checkout"),
    ("GET", "/v1/billing/change-plan/preview"),
    ("POST", "/v1/billing/change-plan"),
    ("DELETE", "/v1/billing/change-plan"),
    ("POST", "/v1/billing/cancel"),
    ("POST", "/v1/billing/cancel-subscription"),
    ("POST", "/v1/billing/resume"),
    ("POST", "/v1/billing/change-payment-method"),
    ("POST", "/v1/billing/setup-intent"),
    ("POST", "/v1/billing/payment-method"),
    ("DELETE", "/v1/billing/payment-method"),
    ("POST", "/v1/billing/retry-payment"),
    ("POST", "/v1/billing/portal"),
    ("GET", "/admin/billing/plans"),
    ("POST", "/admin/billing/plans"),
    ("PUT", "/admin/billing/plans/{plan_id}"),
    ("GET", "/admin/billing/coupons"),
    ("POST", "/admin/billing/coupons"),
    ("GET", "/credits/balance"),
    ("GET", "/credits/transactions"),
    ("POST", "/v1/credits/quote"),
    ("POST", "/v1/credits/spend"),
    ("GET", "/admin/credits/transactions"),
    ("POST", "/admin/credits/manual"),
    ("POST", "/checkin"),
    ("GET", "/admin/checkin/config"),
    ("PUT", "/admin/checkin/config"),
]

QUICK = 6
CASES = max(QUICK, -(-int(os.environ.get("TEST_API_CASES", "0")) // len(CALLS)))  # of each call
COUNTED: dict[tuple[str, str], Counter[int]] = {}
# Where the example of the document is of another catalogue, customer or day.
LIKELY: dict[str, Any] = {
    "/v1/billing/topup": {"amount_cents": 5000},
    "/payment/create-session": {"channel": "stripe", "type": "topup", "amount_cents": 1000},
    "/v1/billing/subscribe": {"tier": "starter"},
    "/v1/billing/checkout": {"plan": "starter"},
    "/v1/billing/change-plan": {"plan": "growth"},
    "/v1/credits/spend": {"action": "ai_chat"},
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(scope="module", autouse=True)
def figures(request: pytest.FixtureRequest) -> Iterator[None]:
    """What came of all of it, at the end of a long run."""
    yield
    if CASES == QUICK:
        return
    lines = [f"{sum(map(Counter.total, COUNTED.values())):,} requests to {len(COUNTED)} calls"]
    for (verb, path), statuses in sorted(COUNTED.items()):
        done = sum(count for status, count in statuses.items() if status < 300)
        told = " ".join(f"{status}:{statuses[status]}" for status in sorted(statuses))
        lines.append(f"{verb:<7}{path:<47}{done:>5} done  {told}")
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        request.config.get_terminal_writer().write("\n".join(["", *lines, ""]))


@pytest.fixture
def asker(request: pytest.FixtureRequest, app: Flask, session: Session, service_key: str) -> Program:
    """The host product, acting for somebody who has all there is; in a long run with a provider that runs plans."""
    if CASES > QUICK:
        cardholder = request.getfixturevalue("cardholder")
        app.extensions["providers"], who = cardholder.providers, cardholder.customer_id
    else:
        request.getfixturevalue("provider")
        who = request.getfixturevalue("ada").customer_id
    offer(session, "agent")
    with transaction(session):
        session.add(Action(key="ai_chat", name="AI chat", credits=50, position=9))
        adjust.adjust(session, who, 10**12, reason="Enough", actor="system", key="enough")
        credits.grant(session, who, 10**9, source="pack", key="pack", actor="stripe")
        check_in.save(session, CheckInTerms(10, who="everyone"), is_on=True, actor="system")
    return Program(app, service_key, who)


def real(path: str, asker: Program, session: Session, staff: Program) -> dict[str, str]:
    """Ids of what there is, for the names in this address."""
    found = {"kind": "wallets", "resource_id": "wallet-7", "customer_id": asker.customer_id}
    if "{hold_id}" in path:
        found["hold_id"] = asker.post("/v1/wallet/holds", {"amount_micros": 1_000}).get_json()["id"]
    if "{order_id}" in path:
        asker.post("/v1/billing/topup", {"amount_cents": 5000})
        found["order_id"] = asker.get("/orders").get_json()["data"][0]["id"]
    if "{invoice_id}" in path:
        asker.post("/v1/billing/subscribe", {"tier": "STARTER", "paymentMethod": "WALLET"})
        found["invoice_id"] = asker.get("/v1/billing/invoices").get_json()["invoices"][0]["id"]
    if "{plan_id}" in path:
        found["plan_id"] = staff.get("/admin/billing/plans").get_json()["data"][0]["id"]
    if "{txn_id}" in path:
        found["txn_id"] = asker.get("/v1/billing/transactions").get_json()["transactions"][0]["id"]
    if "{delivery_id}" in path:
        found["delivery_id"] = delivery(session, asker.customer_id)
    return found


def delivery(session: Session, customer_id: str) -> str:
    """Something an endpoint is to be told."""
    with transaction(session):
        endpoints.open_endpoint(session, "https://example.com/", (), private=False, actor="system")
        notices.tell(session, customer_id, "wallet_low", key="a", available_micros=1, threshold_micros=2)
        return str(session.query(WebhookDelivery).one().id)


@pytest.mark.parametrize(("verb", "path"), CALLS)
def test_no_request_surprises_the_document(
    app: Flask, session: Session, asker: Program, staff: Program, verb: str, path: str
) -> None:
    operation = document(app)[path][verb]
    program, ids = staff if path.startswith("/admin/") else asker, real(path, asker, session, staff)
    modes, limits = schemathesis.GenerationMode, app.extensions["rate_limiter"].limiter.storage
    good = good_body(app, path, verb, asker)

    @seed(int(os.environ.get("TEST_API_SEED", "0")))
    @settings(
        max_examples=CASES,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in (modes.POSITIVE, modes.NEGATIVE))),
        real_id=st.booleans(),
        likely=st.integers(0, 4),
    )
    def ask(case: Any, real_id: bool, likely: int) -> None:
        if real_id and case.path_parameters:
            case.path_parameters = {name: ids.get(name, value) for name, value in case.path_parameters.items()}
        if not likely and good is not None:
            case.body, case.media_type = good, "application/json"
        limits.reset()  # or little else would be asked
        answer = case.call_and_validate(headers=program._headers(), checks=CHECKS)
        COUNTED.setdefault((verb, path), Counter())[answer.status_code] += 1

    ask()


@cache
def document(app: Flask) -> Any:
    """Read once for all the tests that an application serves."""
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


def good_body(app: Flask, path: str, verb: str, asker: Program) -> Any:
    """What is likely to be done, where the call takes a body: the document's own example, about who asks."""
    operation = app.extensions["openapi"]()["paths"][path][verb.lower()]
    if "requestBody" not in operation:
        return None
    body = LIKELY.get(path) or operation["requestBody"]["content"]["application/json"]["example"]
    return body | {name: asker.customer_id for name in ("customer", "customer_id") if name in body}


def test_every_call_of_the_document_is_asked(app: Flask) -> None:
    document = app.extensions["openapi"]()

    assert {(verb.upper(), path) for path, item in document["paths"].items() for verb in item} == set(CALLS)
