"""The profile: what a person may change about themselves, and what they must prove first."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.people import sessions, users
from app.people.models import User
from tests.support.people import PASSWORD, Person
from tests.support.web import PageClient
from tests.web.people_pages import NEW_PASSWORD, link, mails, sign_in


def now(session: Session, who: Person) -> User:
    session.rollback()
    session.expire_all()
    return session.get_one(User, who.id)


def test_name_and_time_zone(client_of, session: Session, ada: Person) -> None:
    browser = client_of(ada)

    assert browser.post("/profile", data={"name": "Ada L.", "time_zone": "Asia/Kathmandu"}).status_code == 303

    assert (now(session, ada).name, now(session, ada).time_zone) == ("Ada L.", "Asia/Kathmandu")
    assert "Ada L." in browser.get("/profile").text


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"name": "", "time_zone": "UTC"}, "Enter your name."),
        ({"name": "Ada", "time_zone": "Europe/Atlantis"}, "Choose a time zone from the list."),
        ({"name": "Ada", "time_zone": "../../etc/passwd"}, "Choose a time zone from the list."),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(client_of, session: Session, ada: Person, sent, sentence: str) -> None:
    answer = client_of(ada).post("/profile", data=sent)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert (now(session, ada).name, now(session, ada).time_zone) == ("Ada", "UTC")


def test_extra_fields_change_nothing(client_of, session: Session, ada: Person) -> None:
    client_of(ada).post(
        "/profile",
        data={"name": "Ada", "time_zone": "UTC", "staff_role": "admin", "email": "x@example.com", "password_hash": "x"},
    )

    user = now(session, ada)
    assert (user.staff_role, user.email) == (None, ada.email)


def test_a_new_address_counts_once_its_link_is_followed(client_of, session: Session, ada: Person) -> None:
    browser = client_of(ada)

    browser.post("/profile/email", data={"email": "ada@new.example.com", "current": PASSWORD})
    assert now(session, ada).email == ada.email
    browser.post(link(mails(session, "ada@new.example.com")[0]))

    assert now(session, ada).email == "ada@new.example.com"
    assert mails(session, ada.email)[0].template == "email_changed"


def test_a_new_address_needs_the_password(client_of, session: Session, ada: Person) -> None:
    answer = client_of(ada).post("/profile/email", data={"email": "ada@new.example.com", "current": "wrong"})

    assert answer.status_code == 422
    assert 'id="email-current-e"' in answer.text
    assert mails(session, "ada@new.example.com") == []


def test_nobody_takes_anothers_address_nor_learns_that_it_is_taken(
    client_of, session: Session, ada: Person, bo: Person
) -> None:
    browser = client_of(ada)

    taken = browser.post("/profile/email", data={"email": bo.email, "current": PASSWORD})
    free = browser.post("/profile/email", data={"email": "free@example.com", "current": PASSWORD})

    assert (taken.status_code, taken.location) == (free.status_code, free.location)
    assert users.by_email(session, bo.email).id == bo.id


def test_a_new_password_signs_other_browsers_out(app: Flask, session: Session, ada: Person) -> None:
    here, there = app.test_client(), app.test_client()
    sign_in(here, ada.email)
    sign_in(there, ada.email)
    old = here.get_cookie("session")

    answer = here.post("/profile/password", data={"current": PASSWORD, "password": NEW_PASSWORD})

    assert answer.status_code == 303
    assert here.get("/profile").status_code == 200
    assert there.get("/profile").status_code == 303
    copied = app.test_client()
    copied.set_cookie("session", old.value)
    assert copied.get("/profile").status_code == 303
    assert sign_in(app.test_client(), ada.email, NEW_PASSWORD).status_code == 303
    assert mails(session, ada.email)[0].template == "password_changed"


@pytest.mark.parametrize(
    ("current", "password", "field"),
    [
        ("wrong", NEW_PASSWORD, "password-current"),
        (PASSWORD, "short", "password"),
        (PASSWORD, "ada@example.com", "password"),
    ],
)
def test_a_refused_password_changes_nothing(
    client_of, app: Flask, ada: Person, current: str, password: str, field: str
) -> None:
    answer = client_of(ada).post("/profile/password", data={"current": current, "password": password})

    assert answer.status_code == 422
    assert f'id="{field}-e"' in answer.text
    assert sign_in(app.test_client(), ada.email).status_code == 303


def test_guessing_the_current_password_is_throttled(client_of, ada: Person) -> None:
    browser = client_of(ada)
    for _ in range(10):
        browser.post("/profile/password", data={"current": "wrong", "password": NEW_PASSWORD})

    assert browser.post("/profile/password", data={"current": PASSWORD, "password": NEW_PASSWORD}).status_code == 429


def test_one_browser_or_all_others_can_be_signed_out(client_of, session: Session, ada: Person) -> None:
    here, there, elsewhere = client_of(ada), client_of(ada), client_of(ada)
    there.get("/profile")
    page = here.get("/profile").text
    assert page.count("Sign out<span") == 2

    first = next(one for one in sessions.of_user(session, ada.id) if f"/profile/sessions/{one.id}/end" in page)
    assert here.post(f"/profile/sessions/{first.id}/end").status_code == 303
    assert here.post("/profile/sessions/end-others").status_code == 303

    assert here.get("/profile").status_code == 200
    assert there.get("/profile").status_code == elsewhere.get("/profile").status_code == 303


def test_nobody_ends_anothers_session(client_of, session: Session, ada: Person, bo: Person) -> None:
    browser = client_of(ada)
    (mine,) = sessions.of_user(session, ada.id)

    assert client_of(bo).post(f"/profile/sessions/{mine.id}/end").status_code == 404

    assert browser.get("/profile").status_code == 200


def test_signed_out_people_are_sent_to_sign_in(client: PageClient) -> None:
    assert client.get("/profile").location == "/sign-in?next=/profile"
    for path in ("", "/email", "/password", "/sessions/end-others", "/sessions/ses_1/end"):
        assert client.post(f"/profile{path}").status_code == 303


def test_staff_have_one_too(client_of, support: Person) -> None:
    assert client_of(support).get("/profile").status_code == 200
