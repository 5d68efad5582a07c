"""The sign-in page: one answer for everything that is wrong, and sessions that really end."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.db import transaction
from app.people import staff, users
from app.people.models import User
from tests.support.people import Person
from tests.support.web import PageClient
from tests.web.people_pages import PASSWORD, sign_in, without_token


def test_it_leads_to_the_page_that_was_asked_for(client: PageClient, ada: Person) -> None:
    asked = client.get("/wallet?type=topup")
    assert asked.status_code == 303
    assert asked.location == "/sign-in?next=/wallet?type%3Dtopup"

    page = client.get(asked.location)
    answer = sign_in(client, ada.email, next="/wallet?type=topup")

    assert 'value="/wallet?type=topup"' in page.text
    assert (answer.status_code, answer.location) == (303, "/wallet?type=topup")
    assert client.get("/wallet").status_code == 200


def test_another_spelling_of_the_address_does(client: PageClient, ada: Person) -> None:
    assert sign_in(client, f"  {ada.email.upper()} ").status_code == 303


def test_unknown_wrong_and_disabled_get_the_same_answer(app: Flask, session: Session, ada: Person, bo: Person) -> None:
    with transaction(session):
        staff.disable(session, session.get_one(User, bo.id), actor="system")

    answers = [
        (email, sign_in(app.test_client(), email, password))
        for email, password in (
            ("nobody@example.com", PASSWORD),
            (ada.email, "not the password"),
            (bo.email, PASSWORD),
            (ada.email, "x" * 100_000),
            ("nonsense", "\0"),
        )
    ]

    assert {answer.status_code for _, answer in answers} == {422}
    shown = {without_token(answer, email) for email, answer in answers}
    assert len(shown) == 1
    assert "Email and password do not match" in shown.pop()


def test_a_nul_is_no_trouble(client: PageClient, ada: Person) -> None:
    assert sign_in(client, "a\0da@example.com", "wrong\0").status_code == 422
    assert client.get("/sign-in?next=%00").status_code == 404


def test_what_was_typed_stays_but_the_password(client: PageClient, ada: Person) -> None:
    answer = sign_in(client, ada.email, "not the password")

    assert ada.email in answer.text
    assert "not the password" not in answer.text


def test_an_empty_form_says_what_is_missing(client: PageClient) -> None:
    answer = sign_in(client, "", "")

    assert answer.status_code == 422
    assert "Enter your email address." in answer.text
    assert "Enter your password." in answer.text


def test_a_replayed_cookie_is_dead_after_sign_out(app: Flask, client: PageClient, ada: Person) -> None:
    sign_in(client, ada.email)
    stolen = client.get_cookie("session")
    assert stolen is not None

    answer = client.post("/sign-out")

    thief = app.test_client()
    thief.set_cookie("session", stolen.value)
    assert thief.get("/wallet").location == "/sign-in?next=/wallet"
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert client.get("/wallet").status_code == 303


def test_the_cookie_before_is_not_the_cookie_after(client: PageClient, ada: Person) -> None:
    client.get("/sign-in")
    with client.session_transaction() as before:
        before["planted"] = "by someone else"

    sign_in(client, ada.email)

    with client.session_transaction() as after:
        assert "planted" not in after


def test_signing_in_again_ends_the_session_before(app: Flask, client: PageClient, ada: Person, bo: Person) -> None:
    sign_in(client, ada.email)
    old = client.get_cookie("session")
    assert old is not None

    sign_in(client, bo.email)

    other = app.test_client()
    other.set_cookie("session", old.value)
    assert other.get("/profile").status_code == 303
    assert bo.email in client.get("/profile").text


def test_it_ends_while_one_is_away(client: PageClient, ada: Person, clock) -> None:
    sign_in(client, ada.email)
    clock.advance(hours=12)

    assert client.get("/wallet").status_code == 303


def test_using_pages_keeps_it_alive(client: PageClient, ada: Person, clock) -> None:
    sign_in(client, ada.email)
    for _ in range(3):
        clock.advance(hours=11)
        assert client.get("/profile").status_code == 200


def test_htmx_is_sent_to_the_sign_in_page_and_gets_no_page_for_its_table(client: PageClient) -> None:
    answer = client.get(
        "/wallet/balance", headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/wallet?type=topup"}
    )

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/wallet?type%3Dtopup"
    assert answer.data == b""


def test_too_many_tries_for_one_account_wait(app: Flask, ada: Person, clock) -> None:
    for _ in range(10):
        assert sign_in(app.test_client(), ada.email, "a wrong guess").status_code == 422

    answer = sign_in(app.test_client(), ada.email)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert "Too many tries" in answer.text
    assert ada.email in answer.text

    clock.advance(minutes=15)  # nobody is locked out for good
    assert sign_in(app.test_client(), ada.email).status_code == 303


def test_too_many_accounts_from_one_address_wait(app: Flask, ada: Person) -> None:
    for number in range(60):
        sign_in(app.test_client(), f"guess{number}@example.com", "a wrong guess")

    assert sign_in(app.test_client(), ada.email).status_code == 429


def test_a_forwarded_address_is_not_believed(app: Flask, ada: Person) -> None:
    for number in range(60):
        app.test_client().post(
            "/sign-in",
            data={"email": f"guess{number}@example.com", "password": "a wrong guess"},
            headers={"X-Forwarded-For": f"192.0.2.{number}"},
        )

    assert sign_in(app.test_client(), ada.email).status_code == 429


def test_staff_without_a_customer_land_in_the_back_office(client: PageClient, support: Person) -> None:
    assert sign_in(client, support.email).location == "/admin"
    assert client.get("/").location == "/admin"


def test_a_cheap_hash_is_renewed(client: PageClient, session: Session, ada: Person, app: Flask) -> None:
    cheap = "$argon2id$v=19$m=8,t=2,p=1$"
    with transaction(session):
        users.renew_hash(session.get_one(User, ada.id), session.get_one(User, ada.id).password_hash or "")
    before = session.get_one(User, ada.id).password_hash

    sign_in(client, ada.email)

    session.rollback()
    session.expire_all()
    after = session.get_one(User, ada.id).password_hash or ""
    assert after.startswith(cheap)
    assert before is not None
    assert sign_in(app.test_client(), ada.email).status_code == 303


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
def test_whoever_is_signed_in_goes_on(client: PageClient, ada: Person, path: str) -> None:
    sign_in(client, ada.email)

    assert client.get(path).location == "/"
