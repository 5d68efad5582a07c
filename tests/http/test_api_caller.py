"""The caller of the API: a living key, the customer it may act for, and what it may do (SPEC §12)."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.customers import api_keys, customers
from app.db import transaction
from app.errors import Forbidden, Invalid, NotFound, Refusal, TooManyRequests, Unauthorized
from app.http.auth import ApiCaller, api_caller
from tests.support.people import Person


@pytest.fixture
def call(app: Flask):
    """The caller as a request with these headers finds it."""

    def made(key: str = "", customer: str | None = None, scheme: str = "Bearer") -> ApiCaller:
        headers = {"Authorization": f"{scheme} {key}"} if key else {}
        if customer is not None:
            headers["Purser-Customer"] = customer
        with app.test_request_context(headers=headers):
            return api_caller()

    return made


def test_a_customer_key_acts_for_its_customer(call, ada: Person) -> None:
    caller = call(ada.key("billing:read"))

    assert (caller.kind, caller.customer_id) == ("customer", ada.customer_id)
    assert caller.permissions == {"billing:read"}
    caller.need("billing:read")
    with pytest.raises(Forbidden):
        caller.need("billing:write")


def test_a_customer_key_cannot_name_another_customer(call, ada: Person, bo: Person) -> None:
    key = ada.key()

    assert call(key, ada.customer_id).customer_id == ada.customer_id
    for other in (bo.customer_id, "cus_none", ""):
        with pytest.raises(NotFound):
            call(key, other)


@pytest.mark.parametrize("key", ["", "nonsense", "pur_live_" + "0" * 49, "pur_live_é", "x" * 10_000])
def test_what_is_no_key_is_nobody(call, key: str) -> None:
    with pytest.raises(Unauthorized):
        call(key)


def test_another_scheme_is_nobody(call, ada: Person) -> None:
    with pytest.raises(Unauthorized):
        call(ada.key(), scheme="Basic")
    assert call(ada.key(), scheme="bearer").customer_id == ada.customer_id


def test_a_service_key_names_its_customer_by_our_id_or_its_own(
    call, session: Session, ada: Person, service_key: str
) -> None:
    with transaction(session):
        theirs = customers.open_customer(
            session, name="Theirs", email="them@example.com", actor="system", external_id="their-7"
        )

    assert call(service_key, ada.customer_id).need_customer() == ada.customer_id
    assert call(service_key, "their-7").need_customer() == theirs.id
    with pytest.raises(NotFound):
        call(service_key, "cus_none")


def test_a_service_key_that_names_nobody_acts_for_nobody(call, service_key: str) -> None:
    caller = call(service_key)

    assert caller.customer_id is None
    with pytest.raises(Invalid):
        caller.need_customer()


@pytest.mark.parametrize(
    ("role", "permissions"),
    [
        ("support", {"staff:read"}),
        ("finance", {"staff:read", "staff:money"}),
        ("admin", {"staff:read", "staff:money", "staff:admin"}),
    ],
)
def test_a_staff_key_has_its_role_and_no_customer(
    call, session: Session, ada: Person, role: str, permissions: set[str]
) -> None:
    with transaction(session):
        _, key = api_keys.create_staff_key(session, name="exporter", role=role)

    caller = call(key, ada.customer_id)

    assert (caller.kind, caller.customer_id, caller.permissions) == ("staff", None, permissions)
    with pytest.raises(Refusal):
        caller.need_customer()


def test_its_use_is_noted(call, session: Session, ada: Person) -> None:
    key = ada.key()

    call(key)

    ((kept, _),) = api_keys.of_customer(session, ada.customer_id)
    assert kept.last_used_at is not None


def test_a_customer_key_has_a_limit_and_the_hosts_has_none(call, ada: Person, service_key: str, monkeypatch) -> None:
    from limits import parse

    from app.http import limits

    monkeypatch.setitem(limits.RULES, "api.key", parse("3 per minute"))
    key = ada.key()
    for _ in range(3):
        call(key)

    with pytest.raises(TooManyRequests):
        call(key)
    for _ in range(5):
        call(service_key)
