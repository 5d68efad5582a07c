"""POST /v1/portal-sessions"""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.activity.models import Activity
from app.api.portal import PAGES
from app.customers import invitations, members
from app.customers.models import Membership, PortalLink
from app.db import transaction
from app.people import staff, users
from tests.support.people import Person
from tests.support.programs import Program, error

PATH = "/v1/portal-sessions"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def host(app: Flask, service_key: str) -> Program:
    return Program(app, service_key)


def test_it_answers_a_link_for_five_minutes(host: Program, ada: Person, session: Session) -> None:
    answer = host.post(PATH, {"customer": ada.customer_id, "email": ada.email, "path": "/wallet"})

    assert answer.status_code == 201
    told = answer.get_json()
    assert set(told) == {"url", "expires_at"}
    assert told["expires_at"] == "2026-03-14T09:35:00Z"
    address, _, token = told["url"].rpartition("/")
    assert (address, len(token)) == ("http://localhost/portal", 43)
    session.rollback()
    link = session.query(PortalLink).one()
    assert (link.user_id, link.customer_id, link.path) == (ada.id, ada.customer_id, "/wallet")
    assert token not in str(vars(link))


def test_it_is_written_into_the_activity_without_the_token(host: Program, ada: Person, session: Session) -> None:
    url = host.post(PATH, {"customer": ada.customer_id}).get_json()["url"]

    session.rollback()
    line = session.query(Activity).filter_by(action="portal_link.made").one()
    assert (line.actor[:4], line.subject, line.customer_id) == ("key_", ada.id, ada.customer_id)
    assert url.rpartition("/")[2] not in str(line.details)


def test_without_an_address_the_owner_is_meant(host: Program, ada: Person, di: Person, session: Session) -> None:
    host.post(PATH, {"customer": ada.customer_id})

    assert session.query(PortalLink).one().user_id == ada.id


def test_a_customer_without_people_gets_its_first_owner(host: Program, session: Session) -> None:
    host.post("/v1/customers", {"name": "Eve's", "email": "eve@example.com", "external_id": "org-1"})

    assert host.post(PATH, {"customer": "org-1"}).status_code == 201

    eve = users.by_email(session, "eve@example.com")
    assert eve is not None
    assert (eve.name, eve.password_hash, eve.email_verified_at) == ("eve", None, None)
    assert session.query(Membership).filter_by(user_id=eve.id).one().permission == "owner"


@pytest.mark.parametrize(
    ("told", "permission"),
    [({}, "write"), ({"permission": "billing:read"}, "read"), ({"permission": "owner", "name": "Eve"}, "owner")],
)
def test_somebody_new_becomes_a_member(
    host: Program, ada: Person, session: Session, told: dict[str, str], permission: str
) -> None:
    answer = host.post(PATH, {"customer": ada.customer_id, "email": "eve@example.com", **told})

    assert answer.status_code == 201
    session.rollback()
    eve = users.by_email(session, "EVE@example.com")
    assert eve is not None
    assert members.permission_of(session, ada.customer_id, eve.id) == permission


def test_who_signed_up_with_anothers_address_is_not_let_in_with_them(
    app: Flask, host: Program, ada: Person, session: Session
) -> None:
    """Mallory waits with Eve's address, which she cannot prove, until the host product brings Eve."""
    mallory = app.test_client()
    form = {"name": "Eve", "company": "M", "email": "eve@example.com", "password": "a long enough secret 1"}
    mallory.post("/sign-up", data=form)
    mallory.post("/sign-in", data=form)
    assert mallory.get("/wallet").status_code == 200

    url = host.post(PATH, {"customer": ada.customer_id, "email": "eve@example.com"}).get_json()["url"]

    assert mallory.get("/wallet").status_code == 303
    mallory.post("/sign-in", data=form)
    assert mallory.get("/wallet").status_code == 303
    eve = app.test_client()
    assert eve.get(url.removeprefix("http://localhost")).status_code == 303
    assert eve.get("/wallet").status_code == 200
    session.rollback()
    assert session.query(Activity).filter_by(action="user.password_dropped").one().actor.startswith("key_")


def test_who_proved_their_address_keeps_their_password(
    host: Program, ada: Person, bo: Person, session: Session
) -> None:
    with transaction(session):
        known = users.by_email(session, bo.email)
        assert known is not None
        users.set_email(session, known, bo.email)
        before = known.password_hash

    host.post(PATH, {"customer": ada.customer_id, "email": bo.email})

    session.rollback()
    session.refresh(known)
    assert known.password_hash == before is not None


def test_a_member_keeps_the_permission_they_have(host: Program, cy: Person, session: Session) -> None:
    host.post(PATH, {"customer": cy.customer_id, "email": cy.email, "permission": "owner"})

    assert members.permission_of(session, cy.customer_id, cy.id) == "read"


def test_who_is_invited_gets_what_they_were_invited_for(host: Program, ada: Person, session: Session) -> None:
    with transaction(session):
        invitations.invite(session, ada.customer_id, "eve@example.com", "read", actor=ada.id)

    host.post(PATH, {"customer": ada.customer_id, "email": "eve@example.com"})

    eve = users.by_email(session, "eve@example.com")
    assert eve is not None
    assert members.permission_of(session, ada.customer_id, eve.id) == "read"
    assert invitations.open_of(session, ada.customer_id) == []


def test_it_refuses_whom_and_what_there_is_not(host: Program, ada: Person, bo: Person, session: Session) -> None:
    with transaction(session):
        staff.disable(session, session.get_one(users.User, bo.id), actor="system")

    missing = host.post(PATH, {"customer": "cus_none"})
    disabled = host.post(PATH, {"customer": bo.customer_id, "email": bo.email})

    assert (missing.status_code, error(missing)["code"]) == (404, "NOT_FOUND")
    assert (disabled.status_code, error(disabled)["details"]["field"]) == (409, "email")
    assert session.query(PortalLink).count() == 0


def test_it_leads_to_pages_of_ours_alone(host: Program, ada: Person) -> None:
    for path in ("/", "/wallet", "/plan/change?plan=growth", "/invoices/inv_01k9yq3v7n"):
        assert host.post(PATH, {"customer": ada.customer_id, "path": path}).status_code == 201, path
    for path in (
        "wallet", "//evil.example", "/\\evil.example", "https://evil.example/", "/profile", "/admin",
        "/sign-out", "/portal/x", "/wallet/../admin", "/wallet/", "/wallet\n", "/wallet//evil.example", "javascript:x",
        "/invoices/../admin", "/team/members/usr_1", "/wallet/topups", "", "/" + "x" * 1000,
    ):  # fmt: skip
        answer = host.post(PATH, {"customer": ada.customer_id, "path": path})
        assert (answer.status_code, error(answer)["details"]["field"]) == (422, "path"), path


def test_the_guide_names_the_pages_it_leads_to() -> None:
    guide = (Path(__file__).parents[2] / "docs/host.md").read_text()

    assert [path for path in PAGES if f"`{path}`" not in guide] == []


def test_the_way_back_is_checked(host: Program, ada: Person) -> None:
    for url in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "http://localhost@evil.example/", ""):
        answer = host.post(PATH, {"customer": ada.customer_id, "return_url": url})
        assert (answer.status_code, error(answer)["details"]["field"]) == (422, "return_url"), url


def test_a_key_needs_the_scope(app: Flask, ada: Person, session: Session) -> None:
    from app.customers import api_keys

    scopes = [scope for scope in api_keys.SERVICE_SCOPES if scope != "portal:write"]
    with transaction(session):
        _, text = api_keys.create_service_key(session, name="Narrow", scopes=scopes)

    answer = Program(app, text).post(PATH, {"customer": ada.customer_id})

    assert (answer.status_code, error(answer)["details"]["permission"]) == (403, "portal:write")
