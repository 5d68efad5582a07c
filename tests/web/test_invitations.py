"""The page behind an invitation: join with an account, or make one."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.customers import members
from app.http import limits
from app.people import users
from tests.support.people import PASSWORD, Person
from tests.support.web import PageClient
from tests.web.people_pages import fresh, link, mails


@pytest.fixture
def invitation(client_of, session: Session, ada: Person) -> str:
    client_of(ada).post("/team/invitations", data={"email": "new@example.com", "permission": "write"})
    return link(mails(session, "new@example.com")[0])


def test_someone_new_makes_an_account_and_is_in(
    client: PageClient, session: Session, ada: Person, invitation: str
) -> None:
    page = client.get(invitation)
    assert "Join Analytical Engines" in page.text

    answer = client.post(invitation, data={"name": "Nia", "password": PASSWORD})

    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/wallet").status_code == 200
    user = users.by_email(fresh(session), "new@example.com")
    assert user is not None
    assert user.email_verified_at is not None
    assert members.permission_of(session, ada.customer_id, user.id) == "write"
    assert client.get(invitation).status_code == 410


def test_someone_signed_in_joins_and_looks_at_the_new_customer(
    client_of, session: Session, ada: Person, bo: Person, invitation: str
) -> None:
    browser = client_of(bo)
    assert "that account would join" in browser.get(invitation).text

    assert browser.post(invitation).status_code == 303

    assert members.permission_of(session, ada.customer_id, bo.id) == "write"
    assert "Analytical Engines" in browser.get("/").text


def test_someone_with_an_account_is_asked_to_sign_in(
    client: PageClient, client_of, session: Session, ada: Person, bo: Person
) -> None:
    client_of(ada).post("/team/invitations", data={"email": bo.email, "permission": "read"})
    path = link(mails(session, bo.email)[0])

    assert f"/sign-in?next={path}" in client.get(path).text
    taken = client.post(path, data={"name": "Not Bo", "password": PASSWORD})

    assert taken.status_code == 422
    assert "Sign in to accept" in taken.text


def test_a_mistake_does_not_use_it_up(client: PageClient, invitation: str) -> None:
    answer = client.post(invitation, data={"name": "Nia", "password": "password1"})

    assert answer.status_code == 422
    assert "Nia" in answer.text
    assert client.get(invitation).status_code == 200


def test_a_used_up_limit_keeps_the_name(app, client: PageClient, invitation: str) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": "127.0.0.1"}):
        for _ in range(60):
            limits.spend("link.address", limits.address())

    answer = client.post(invitation, data={"name": "Nia", "password": PASSWORD})

    assert answer.status_code == 429
    assert "Too many tries." in answer.text
    assert 'value="Nia"' in answer.text


def test_extra_fields_do_not_widen_it(client: PageClient, session: Session, ada: Person, invitation: str) -> None:
    client.post(invitation, data={"name": "Nia", "password": PASSWORD, "permission": "owner", "email": "x@example.com"})

    user = users.by_email(fresh(session), "new@example.com")
    assert user is not None
    assert members.permission_of(session, ada.customer_id, user.id) == "write"


def test_one_that_is_none_is_dead(client: PageClient) -> None:
    assert client.get("/invitations/nonsense").status_code == 410
    assert client.post("/invitations/nonsense").status_code == 410
