"""The document at /openapi.json, the page at /docs/api, and the calls behind them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from app import credits
from app.api import error_codes
from app.api.docs import CHAPTERS, _content
from app.api.schemas import example_of
from app.catalogue import check_in
from app.catalogue.models import Action
from app.catalogue.terms import CheckInTerms
from app.db import transaction
from app.errors import Refusal
from app.http.errors import status_of
from tests.support.fake_provider import FakeProvider
from tests.support.people import Person
from tests.support.plans import offer
from tests.support.programs import Program
from tests.support.web import PageClient

ON_PAGES = {
    *("STALE_PAGE", "FOREIGN_ORIGIN", "LINK_EXPIRED", "INVITATION_EXPIRED", "PASSWORD_REFUSED", "SIGN_IN_REFUSED"),
    *("WRONG_PASSWORD", "LAST_OWNER", "AMOUNT_INVALID", "ALREADY_REVERSED", "NOT_REVERSIBLE", "CREDITS_SPENT"),
    *("MORE_THAN_INVOICED", "CATALOGUE_INVALID"),
    *("OWN_SIGN_IN_REQUIRED", "PROOF_REFUSED", "CODE_REFUSED", "SECOND_PERSON_REQUIRED", "ALREADY_DECIDED"),
    *("LAST_ADMIN", "LOOKING_ONLY"),
}
OURS = (
    "/checkin",
    "/admin/checkin/",
    "/orders",
    "/credits/balance",
    "/credits/transactions",
    "/admin/credits/",
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def document(client: PageClient) -> dict[str, Any]:
    return dict(client.get("/openapi.json").get_json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, verb, one) for path, item in document["paths"].items() for verb, one in item.items()]


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    openapi_spec_validator.validate(document)


def test_it_has_every_call_and_no_other(app: Flask, document: dict[str, Any]) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), verb.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/v1/", "/api/", "/subscription/", "/payment/create", "/admin/billing/", *OURS))
        for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {(path, verb) for path, verb, _ in operations(document)} == served


def test_every_call_says_its_permission_its_errors_and_an_example(document: dict[str, Any]) -> None:
    for path, verb, one in operations(document):
        assert one["summary"], path
        assert one["x-permission"] in one["description"], path
        assert {"401", "403", "429", "500", "503"} <= set(one["responses"]), path
        if verb == "post":
            assert {"400", "409", "413", "415", "422"} <= set(one["responses"]), path
    for name, response in document["components"]["responses"].items():
        told = response["content"]["application/json"]["example"]["error"]
        assert set(told) == {"code", "message", "details"}, name


def test_every_body_refuses_what_it_does_not_know(document: dict[str, Any]) -> None:
    for path, _, one in operations(document):
        if "requestBody" in one:
            schema = one["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            assert document["components"]["schemas"][schema]["additionalProperties"] is False, path


def test_everything_that_moves_money_takes_a_key(document: dict[str, Any]) -> None:
    for path, verb, one in operations(document):
        named = [parameter["name"] for parameter in one.get("parameters", [])]
        moves_none = path.startswith("/admin/billing/") or path in (
            "/v1/customers",  # the external id is its key
            "/v1/portal-sessions",
            "/v1/webhook-deliveries/{delivery_id}/resend",
            "/v1/billing/payment-method",
            "/v1/billing/portal",
            "/v1/usage",  # each event's id is its key
            "/v1/entitlements/check",
            "/v1/credits/quote",
            "/v1/resources/{kind}",
            "/subscription/portal",
        )
        assert ("Idempotency-Key" in named) == (verb == "post" and not moves_none), path


def test_every_body_answer_and_address_has_an_example_that_its_schema_allows(document: dict[str, Any]) -> None:
    off = []
    for path, verb, one in operations(document):
        answers = [answer for answer in one["responses"].values() if "$ref" not in answer]
        contents = [part["content"]["application/json"] for part in (*answers, *_body(one)) if "content" in part]
        contents += [parameter for parameter in one.get("parameters", []) if parameter["in"] == "path"]
        for content in contents:
            schema = {**content["schema"], "components": document["components"]}
            check = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
            off += [(verb, path, fault.message[:200]) for fault in check.iter_errors(content["example"])]
            off += [(verb, path, "a text of no meaning")] * ('"text"' in json.dumps(content["example"]))

    assert not off


def test_every_code_that_a_program_may_get_is_in_the_table() -> None:
    """All refusals there are, but those that only people on pages get, and those of the back office."""
    told = {(row.status, code) for row in error_codes.TABLE for code in row.codes}
    there = {(status_of(one("")), one.code) for one in _below(Refusal) if one.__init__ is Refusal.__init__}

    assert {code for _, code in there - told} <= ON_PAGES
    assert not {code for _, code in told} & ON_PAGES


def test_the_guide_has_the_table_as_it_is() -> None:
    guide = (Path(__file__).parent.parent.parent / "docs/api.md").read_text()

    assert not [row.codes for row in error_codes.TABLE if row.markdown() not in guide]


def _body(operation: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation["requestBody"]] if "requestBody" in operation else []


def _below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def test_no_field_of_a_body_may_be_null(document: dict[str, Any]) -> None:
    assert "'default': None" not in str(document)
    for name in ("NewHold", "NewDebit", "NewCharge", "NewCustomer"):
        assert "null" not in str(document["components"]["schemas"][name]), name


def test_the_page_shows_every_call(client: PageClient, document: dict[str, Any]) -> None:
    page = client.get("/docs/api")

    assert page.status_code == 200
    text = page.get_data(as_text=True)
    for chapter in CHAPTERS:
        assert f">{chapter}</h2>" in text
    for path, verb, _ in operations(document):
        assert f"<code>{verb.upper()} {path}</code>" in text
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", text)


def test_every_example_of_a_body_is_accepted(
    host: Program, staff: Program, ada: Person, provider: FakeProvider, document: dict[str, Any]
) -> None:
    ada.gets(cents=10_000)
    offer(ada.session, "agent")
    with transaction(ada.session):
        ada.session.add(Action(key="ai_chat", name="AI chat", credits=50, position=9))
        credits.grant(ada.session, ada.customer_id, 50, source="pack", key="pack", actor="stripe")
        check_in.save(ada.session, CheckInTerms(10, who="everyone"), is_on=True, actor="system")
    hold = host.post("/v1/wallet/holds", {"amount_micros": 2_000_000}).get_json()["id"]
    # Those need a provider that runs subscriptions, or an upstream: test_subscription.py, test_payment_methods.py and
    # test_llm_proxy.py send theirs. What Ada has was never paid in, so there is nothing to ask back.
    of_subscriptions = {"Subscription", "Payment methods", "Payment pages", "Webhook deliveries", "Models", "Refunds"}
    for path, verb, one in operations(document):
        if verb == "post" and not of_subscriptions & set(one["tags"]) and not path.endswith("/balance-refund"):
            body = _content(one.get("requestBody"))
            example = None if body is None else example_of(body, document["components"]["schemas"])
            if path == "/admin/credits/manual":
                example = {**(example or {}), "customer_id": ada.customer_id}
            target = path.replace("{hold_id}", hold).replace("{kind}", "wallets")
            if path.endswith("release"):
                target = target.replace(hold, host.post("/v1/wallet/holds", {"amount_micros": 1}).get_json()["id"])

            answer = (staff if path.startswith("/admin/") else host).post(target, example)

            assert answer.status_code in (200, 201), (path, example, answer.get_data())


def test_amounts_say_their_bounds(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    amount = schemas["TopUp"]["properties"]["amount_cents"]
    assert (amount["minimum"], amount["maximum"]) == (1000, 1_000_000)
    for model in ("NewHold", "NewDebit", "NewCharge", "Settlement"):
        for name, field in schemas[model]["properties"].items():
            assert field["type"] == "string" or {"minimum", "maximum"} <= set(field), (model, name)
