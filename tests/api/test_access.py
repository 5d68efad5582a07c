"""Who may call what: keys of every kind, living and revoked, and customers who are not theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.customers import api_keys
from app.db import transaction
from tests.support.people import Person
from tests.support.programs import Program, error

BALANCE, DEBITS, TOPUP = "/v1/billing/balance", "/v1/wallet/debits", "/v1/billing/topup"
PRINT = {"amount_cents": 1, "description": "Print"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Who may do what does not depend on the database."""
    return sqlite_url


def test_without_a_key_it_asks_for_one(stranger: Program) -> None:
    answer = stranger.get(BALANCE)

    assert (answer.status_code, error(answer)["code"]) == (401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_wrong_key_is_told_as_little_as_a_missing_one(stranger: Program, adas: Program) -> None:
    wrong = [
        "Bearer ",
        "Bearer x",
        f"Basic {adas.secret}",
        adas.secret,
        f"Bearer {adas.secret[:-1]}",
        "Bearer pur_live_" + "0" * 49,
    ]
    for sent in [*wrong, "Bearer " + "x" * 10_000, "Bearer pür"]:
        answer = stranger.get(BALANCE, Authorization=sent)

        assert (answer.status_code, error(answer)["code"]) == (401, "UNAUTHORIZED"), sent[:40]
        assert adas.secret not in answer.get_data(as_text=True)


def test_a_key_is_believed_before_the_body_is_read(stranger: Program) -> None:
    assert stranger.post_raw(DEBITS, b"not json", "text/plain").status_code == 401


def test_a_revoked_key_stops_at_once(app: Flask, ada: Person, program: Callable[[str], Program]) -> None:
    with transaction(ada.session):
        made, text = api_keys.create_customer_key(
            ada.session, ada.customer_id, name="Old", permissions=("billing:read",), made_by=ada.id
        )
    assert program(text).get(BALANCE).status_code == 200

    with transaction(ada.session):
        api_keys.revoke(ada.session, ada.customer_id, made.id, actor=ada.id)

    assert program(text).get(BALANCE).status_code == 401


def test_a_key_that_may_only_read_does_not_write(ada: Person, program: Callable[[str], Program]) -> None:
    reader = program(ada.key("billing:read"))

    answer = reader.post(TOPUP, {"amount_cents": 5000})

    assert reader.get(BALANCE).status_code == 200
    assert (answer.status_code, error(answer)["code"]) == (403, "FORBIDDEN")
    assert error(answer)["details"] == {"permission": "billing:write"}


def test_a_customers_key_never_moves_money_by_itself(adas: Program, ada: Person) -> None:
    calls: list[tuple[str, Any]] = [
        (DEBITS, PRINT),
        ("/v1/charges", {"service": "compute", "cost_micros": 1}),
        ("/v1/wallet/holds", {"amount_micros": 1}),
        ("/v1/wallet/holds/hold_x/settle", {"amount_micros": 1}),
        ("/v1/wallet/holds/hold_x/release", None),
        ("/v1/customers", {"name": "Mine", "email": "a@example.com"}),
    ]
    for path, body in calls:
        assert adas.post(path, body).status_code == 403, path
    assert ada.balance() == 5_000_000


def test_a_service_key_does_what_its_scopes_say(ada: Person, program: Callable[[str], Program]) -> None:
    with transaction(ada.session):
        _, text = api_keys.create_service_key(ada.session, name="Reader", scopes=("billing:read", "charges:write"))
    host = program(text).in_the_name_of(ada)

    assert host.get(BALANCE).status_code == 200
    assert host.post("/v1/charges", {"service": "compute", "cost_micros": 1}).status_code == 200
    assert host.post(DEBITS, PRINT).status_code == 403
    assert host.post(TOPUP, {"amount_cents": 5000}).status_code == 403


def test_a_key_made_before_a_scope_existed_does_not_get_it(ada: Person, program: Callable[[str], Program]) -> None:
    then = [scope for scope in api_keys.SERVICE_SCOPES if scope != "portal:write"]
    with transaction(ada.session):
        _, text = api_keys.create_service_key(ada.session, name="Of the year before", scopes=then)

    answer = program(text).post("/v1/portal-sessions", {"customer": ada.customer_id})

    assert (answer.status_code, error(answer)["details"]) == (403, {"permission": "portal:write"})


def test_a_service_key_must_name_a_customer_that_exists(host: Program, program: Callable[[str], Program]) -> None:
    nobody = program(host.secret)

    unnamed = nobody.get(BALANCE)
    assert (unnamed.status_code, error(unnamed)["details"]["field"]) == (422, "Purser-Customer")
    for name in ("cus_none", "", "*", "x" * 5000, "cus_' OR 1=1", "house"):
        answer = nobody.get(BALANCE, **{"Purser-Customer": name})
        assert answer.status_code in (404, 422), name


def test_a_customers_key_cannot_name_another_customer(adas: Program, bo: Person) -> None:
    theirs = adas.get(BALANCE, **{"Purser-Customer": bo.customer_id})
    none = adas.get(BALANCE, **{"Purser-Customer": "cus_none"})

    assert theirs.status_code == none.status_code == 404
    assert theirs.get_data() == none.get_data()


def test_a_staff_key_acts_for_nobody(ada: Person, program: Callable[[str], Program]) -> None:
    with transaction(ada.session):
        _, text = api_keys.create_staff_key(ada.session, name="Office", role="admin")

    assert program(text).in_the_name_of(ada).get(BALANCE).status_code == 403


def test_a_signed_in_browser_is_not_a_key(ada: Person, client_of: Callable[[Person], Any]) -> None:
    assert client_of(ada).get(BALANCE).status_code == 401
