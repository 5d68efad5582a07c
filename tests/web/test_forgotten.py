"""A forgotten password: the same answer for everyone, and a link that works once."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import Session

from tests.support.people import PASSWORD, Person
from tests.support.web import PageClient
from tests.web.people_pages import NEW_PASSWORD, link, mails, sign_in


def asked(client: PageClient, session: Session, who: Person) -> str:
    client.post("/forgot-password", data={"email": who.email})
    return link(mails(session, who.email)[0])


def test_known_and_unknown_get_the_same_answer(app: Flask, session: Session, ada: Person) -> None:
    known = app.test_client().post("/forgot-password", data={"email": ada.email})
    unknown = app.test_client().post("/forgot-password", data={"email": "nobody@example.com"})

    assert known.status_code == unknown.status_code == 200
    assert known.text.replace(ada.email, "") == unknown.text.replace("nobody@example.com", "")
    assert mails(session, ada.email)[0].template == "reset_password"
    assert mails(session, "nobody@example.com") == []


def test_the_link_sets_a_password_once_and_signs_everyone_out(
    app: Flask, client: PageClient, session: Session, ada: Person
) -> None:
    elsewhere = app.test_client()
    sign_in(elsewhere, ada.email)
    path = asked(client, session, ada)

    assert client.get(path).status_code == 200
    assert client.post(path, data={"password": NEW_PASSWORD}).status_code == 303

    assert elsewhere.get("/wallet").status_code == 303
    assert sign_in(client, ada.email, PASSWORD).status_code == 422
    assert sign_in(client, ada.email, NEW_PASSWORD).status_code == 303
    assert client.get(path).status_code == 410
    assert app.test_client().post(path, data={"password": "yet another thicket"}).status_code == 410
    assert mails(session, ada.email)[0].template == "password_changed"


def test_a_refused_password_leaves_the_link_good(client: PageClient, session: Session, ada: Person) -> None:
    path = asked(client, session, ada)

    refused = client.post(path, data={"password": "password1"})

    assert refused.status_code == 422
    assert 'id="password-e"' in refused.text
    assert client.post(path, data={"password": NEW_PASSWORD}).status_code == 303


def test_the_link_dies_after_an_hour(client: PageClient, session: Session, ada: Person, clock) -> None:
    path = asked(client, session, ada)
    clock.advance(hours=1)

    assert client.get(path).status_code == 410
    assert client.post(path, data={"password": NEW_PASSWORD}).status_code == 410


def test_a_look_alike_address_gets_the_owners_mail_not_its_own(
    client: PageClient, session: Session, ada: Person
) -> None:
    typed = "\uff41da@example.com"  # a full-width a, which compares equal

    client.post("/forgot-password", data={"email": typed})

    assert mails(session, typed) == []


def test_too_many_for_one_account_wait_known_or_not(app: Flask, ada: Person) -> None:
    for email in (ada.email, "nobody@example.com"):
        answers = [app.test_client().post("/forgot-password", data={"email": email}) for _ in range(6)]

        assert [answer.status_code for answer in answers] == [200] * 5 + [429]


def test_what_is_no_address_is_told(client: PageClient) -> None:
    answer = client.post("/forgot-password", data={"email": "nonsense"})

    assert answer.status_code == 422
    assert "Enter an email address like name@example.com." in answer.text
