"""The API keys page: a key is shown once, and revoked for good."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.customers import api_keys
from app.customers.models import ApiKey
from tests.support.people import Person
from tests.support.plans import offer, put_on
from tests.support.web import PageClient

KEY = re.compile(r"pur_live_[0-9A-Za-z]{49}")


def test_a_key_is_shown_once(client_of, session: Session, ada: Person) -> None:
    browser = client_of(ada)

    answer = browser.post("/api-keys", data={"name": "worker", "permissions": ["billing:read", "billing:write"]})

    found = KEY.search(answer.text)
    assert answer.status_code == 201
    assert found
    assert "no-store" in answer.headers["Cache-Control"]
    caller = api_keys.caller(session, found[0])
    assert caller is not None
    assert (caller.customer_id, caller.permissions) == (ada.customer_id, {"billing:read", "billing:write"})
    again = browser.get("/api-keys").text
    assert found[0] not in again
    assert f"pur_live_…{found[0][-4:]}" in again


def test_a_reader_sees_the_list_and_makes_none(client_of, session: Session, ada: Person, cy: Person) -> None:
    ada.key()
    browser = client_of(cy)

    assert "A test&#39;s key" in browser.get("/api-keys").text
    assert browser.post("/api-keys", data={"name": "worker", "permissions": "billing:read"}).status_code == 403
    (key,) = session.scalars(select(ApiKey)).all()
    assert browser.post(f"/api-keys/{key.id}/revoke").status_code == 403


@pytest.mark.parametrize(
    ("name", "permissions", "sentence"),
    [
        ("", ["billing:read"], "Name the key after the place where it runs."),
        ("worker", [], "Choose what the key can do"),
        ("worker", ["wallet:write"], "Choose what the key can do"),
        ("worker", ["billing:read", "owner"], "Choose what the key can do"),
        ("x" * 121, ["billing:read"], "Enter a name of 1 to 120 characters."),
    ],
)
def test_a_mistake_is_told_and_makes_no_key(
    client_of, session: Session, ada: Person, name: str, permissions: list[str], sentence: str
) -> None:
    answer = client_of(ada).post("/api-keys", data={"name": name, "permissions": permissions})

    assert answer.status_code == 422
    assert sentence in answer.text
    assert session.scalars(select(ApiKey)).all() == []


def test_a_revoked_key_is_dead_at_once(client_of, session: Session, ada: Person) -> None:
    text, browser = ada.key(), client_of(ada)
    (key,) = session.scalars(select(ApiKey)).all()

    assert browser.post(f"/api-keys/{key.id}/revoke").status_code == 303
    assert browser.post(f"/api-keys/{key.id}/revoke").status_code == 303  # twice is once

    session.rollback()
    assert api_keys.caller(session, text) is None
    assert "Revoked" in browser.get("/api-keys").text


def test_another_customers_key_does_not_exist(client_of, session: Session, ada: Person, bo: Person) -> None:
    text = ada.key()
    (key,) = session.scalars(select(ApiKey)).all()

    assert client_of(bo).post(f"/api-keys/{key.id}/revoke").status_code == 404
    assert client_of(bo).post("/api-keys/key_none/revoke").status_code == 404
    assert client_of(bo).post("/api-keys/a%00b/revoke").status_code == 404

    assert api_keys.caller(session, text)
    assert "A test" not in client_of(bo).get("/api-keys").text


def test_extra_fields_change_nothing(client_of, session: Session, ada: Person, bo: Person) -> None:
    client_of(ada).post(
        "/api-keys",
        data={
            "name": "worker",
            "permissions": "billing:read",
            "kind": "service",
            "customer_id": bo.customer_id,
            "key_hash": "0" * 64,
        },
    )

    (key,) = session.scalars(select(ApiKey)).all()
    assert (key.kind, key.customer_id, key.permissions) == ("customer", ada.customer_id, ["billing:read"])


def test_signed_out_people_are_sent_to_sign_in(client: PageClient) -> None:
    assert client.get("/api-keys").location == "/sign-in?next=/api-keys"
    assert client.post("/api-keys").status_code == 303


def test_too_many_in_an_hour_wait(client_of, session: Session, ada: Person) -> None:
    browser = client_of(ada)
    for _ in range(20):
        browser.post("/api-keys", data={"name": "worker", "permissions": "billing:read"})

    answer = browser.post("/api-keys", data={"name": "one too many", "permissions": "billing:read"})

    assert answer.status_code == 429
    assert "one too many" in answer.text
    assert len(session.scalars(select(ApiKey)).all()) == 20


class TestProduction:
    """Of the catalogue `agent`: FREE is a sandbox, STARTER has production access (SPEC P4)."""

    @pytest.fixture(autouse=True)
    def _plans(self, session: Session) -> None:
        offer(session, "agent")

    def test_a_live_key_on_free_is_refused_with_the_way_on(self, client_of, session: Session, ada: Person) -> None:
        browser = client_of(ada)
        form = {"name": "worker", "permissions": "billing:read", "environment": "live"}

        page, answer = browser.get("/api-keys").text, browser.post("/api-keys", data=form)

        assert "Free does not include production access." in page
        assert answer.status_code == 403
        assert '<h1 id="h">Free does not include production access</h1>' in answer.text
        assert "Make a test key, or move to Starter for production access." in answer.text
        assert 'href="/plan/change?plan=STARTER"' in answer.text
        assert session.scalars(select(ApiKey)).all() == []

    def test_a_test_key_on_free_says_what_it_is(self, client_of, session: Session, ada: Person) -> None:
        form = {"name": "worker", "permissions": "billing:read", "environment": "test"}

        answer = client_of(ada).post("/api-keys", data=form)

        found = re.search(r"pur_test_[0-9A-Za-z]{49}", answer.text)
        assert answer.status_code == 201
        assert found
        caller = api_keys.caller(session, found[0])
        assert caller is not None
        assert not caller.is_live
        assert session.scalars(select(ApiKey)).one().environment == "test"

    def test_a_plan_with_production_access_has_both(self, client_of, ada: Person) -> None:
        put_on(ada, "STARTER")
        browser = client_of(ada)

        for environment in ("live", "test"):
            form = {"name": "worker", "permissions": "billing:read", "environment": environment}
            assert f"pur_{environment}_" in browser.post("/api-keys", data=form).text

    def test_another_word_is_a_mistake(self, client_of, ada: Person) -> None:
        form = {"name": "worker", "permissions": "billing:read", "environment": "staging"}

        answer = client_of(ada).post("/api-keys", data=form)

        assert answer.status_code == 422
        assert "Choose one of live, test." in answer.text
