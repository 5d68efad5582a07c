"""Requests made up from the OpenAPI document: no 5xx, no status or shape the document does not name."""

from __future__ import annotations

import os
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

from tests.support.fake_provider import FakeProvider
from tests.support.people import Person
from tests.support.programs import Program

# More in a longer run: PURSER_TEST_CASES=5000.
CASES = int(os.environ.get("PURSER_TEST_CASES", "20"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CALLS = [
    ("GET", "/v1/billing/balance"),
    ("GET", "/v1/billing/transactions"),
    ("POST", "/v1/billing/topup"),
    ("POST", "/api/wallet/topup"),
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


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.mark.parametrize(("verb", "path"), CALLS)
def test_no_request_surprises_the_document(
    app: Flask, host: Program, staff: Program, ada: Person, provider: FakeProvider, verb: str, path: str
) -> None:
    document = schemathesis.openapi.from_wsgi("/openapi.json", app)
    operation = document[path][verb]
    hold = host.post("/v1/wallet/holds", {"amount_micros": 1_000}, key="a").get_json()["id"]
    modes = schemathesis.GenerationMode

    @seed(0)
    @settings(
        max_examples=CASES,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in (modes.POSITIVE, modes.NEGATIVE))),
        real_id=st.booleans(),
    )
    def ask(case: Any, real_id: bool) -> None:
        if real_id and "hold_id" in (case.path_parameters or {}):
            case.path_parameters["hold_id"] = hold
        headers = {"Authorization": f"Bearer {host.secret}", "Purser-Customer": ada.customer_id}
        if path.startswith("/admin/"):
            headers = {"Authorization": f"Bearer {staff.secret}"}
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()


def test_every_call_of_the_document_is_asked(app: Flask) -> None:
    document = app.extensions["openapi"]()

    assert {(verb.upper(), path) for path, item in document["paths"].items() for verb in item} == set(CALLS)
