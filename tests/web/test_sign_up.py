"""Signing up: an account, a wallet with a gift, and nothing told to strangers (W1)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import ledger
from app.config import Settings
from app.customers import members
from app.customers.models import Customer
from app.people import users
from app.people.models import User
from tests.support.people import Person
from tests.support.web import PageClient
from tests.web.people_pages import NEW_PASSWORD, PASSWORD, fresh, link, mails, sign_in, sign_up, without_token


def wallet_of(session: Session, email: str) -> int:
    user = users.by_email(fresh(session), email)
    assert user is not None
    (mine,) = members.of_user(session, user.id)
    return ledger.balance(session, ledger.Account(mine[0], "wallet", "usd")).balance


def test_it_makes_an_owner_with_a_gift_in_the_wallet(client: PageClient, session: Session) -> None:
    answer = sign_up(client)
    page = client.get(answer.location)
    assert answer.status_code == 303
    assert "Almost there" in page.text
    assert "eve@example.com" in page.text

    assert sign_in(client, "eve@example.com").location == "/"

    assert "Eve&#39;s Orchard" in client.get("/").text
    assert wallet_of(session, "eve@example.com") == 5_000_000


@pytest.mark.parametrize(
    ("wanted", "then"), [("/plan/change?plan=growth", "/plan/change?plan=growth"), ("//evil.example", "/")]
)
def test_who_came_to_buy_a_plan_goes_on_to_it(client: PageClient, wanted: str, then: str) -> None:
    answer = sign_up(client, next=wanted)
    form = client.get(answer.location)

    assert f'name="next" value="{then}"' in form.text


def test_a_known_address_gets_the_same_answer_and_its_owner_a_mail(app: Flask, session: Session, ada: Person) -> None:
    fresh, known = app.test_client(), app.test_client()

    first = sign_up(fresh, "new@example.com")
    second = sign_up(known, ada.email, password="another good password")

    assert (first.status_code, first.location) == (second.status_code, second.location)
    shown = [
        without_token(browser.get(first.location), email)
        for browser, email in ((fresh, "new@example.com"), (known, ada.email))
    ]
    assert shown[0] == shown[1]
    assert mails(session, ada.email)[0].template == "signed_up_already"
    assert sign_in(known, ada.email, "another good password").status_code == 422
    assert session.scalar(select(func.count()).select_from(Customer)) == 2


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "Enter your name."),
        ("company", "", "Enter the name of your company or project."),
        ("company", "x" * 121, "Enter a name of 1 to 120 characters."),
        ("email", "eve", "Enter an email address like name@example.com."),
        ("email", "eve@example.com\r\nBcc: all@example.com", "Enter an email address like name@example.com."),
        ("password", "short", "Use 8 characters or more."),
        ("password", "password123", "This password is among the first an attacker tries."),
    ],
)
def test_a_mistake_is_told_beside_its_field(
    client: PageClient, session: Session, field: str, typed: str, sentence: str
) -> None:
    answer = sign_up(client, **{field: typed})

    assert answer.status_code == 422
    assert f'id="{field}-e"' in answer.text
    assert sentence in answer.text
    assert "Orchard" in answer.text or field == "company"
    assert PASSWORD not in answer.text
    assert session.scalar(select(func.count()).select_from(User)) == 0


def test_one_person_is_welcomed_once_whatever_the_spelling(client: PageClient, session: Session) -> None:
    for spelling in ("eve.apple@gmail.com", "EveApple+2@googlemail.com"):
        sign_up(client, spelling)

    assert wallet_of(session, "eve.apple@gmail.com") == 5_000_000
    assert wallet_of(session, "eveapple+2@googlemail.com") == 0


def test_extra_fields_change_nothing(client: PageClient, session: Session) -> None:
    sign_up(client, staff_role="admin", email_verified_at="2026-01-01", balance="1000000", id="usr_1", permission="x")

    user = users.by_email(session, "eve@example.com")
    assert user is not None
    assert (user.staff_role, user.email_verified_at) == (None, None)
    assert user.id != "usr_1"
    assert wallet_of(session, "eve@example.com") == 5_000_000


def test_the_address_is_confirmed_by_a_button_behind_the_mailed_link(client: PageClient, session: Session) -> None:
    sign_up(client)
    path = link(mails(session, "eve@example.com")[0])

    for _ in range(2):  # looking, as mail scanners do, changes nothing
        assert client.get(path).status_code == 200
    assert client.post(path).location == "/sign-in"

    user = users.by_email(fresh(session), "eve@example.com")
    assert user is not None
    assert user.email_verified_at is not None
    assert client.get(path).status_code == 410
    assert client.post(path).status_code == 410


def test_a_link_that_is_none_is_dead(client: PageClient) -> None:
    assert client.get("/verify-email/nonsense").status_code == 410
    assert client.post("/verify-email/nonsense").status_code == 410


class TestWhenTheGiftWaitsForTheConfirmation:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, signup_credit_when="verified")

    def test_it_comes_with_it_once(self, client: PageClient, session: Session) -> None:
        sign_up(client)
        before = wallet_of(session, "eve@example.com")

        client.post(link(mails(session, "eve@example.com")[0]))

        assert (before, wallet_of(session, "eve@example.com")) == (0, 5_000_000)

    def test_it_comes_too_when_the_address_was_mended_first(self, client: PageClient, session: Session) -> None:
        sign_up(client, "eve@exmaple.com")
        sign_in(client, "eve@exmaple.com")

        client.post("/profile/email", data={"email": "eve@example.com", "current": PASSWORD})
        client.post(link(mails(session, "eve@example.com")[0]))

        assert wallet_of(session, "eve@example.com") == 5_000_000

    def test_it_comes_too_when_a_new_password_proved_the_address(self, client: PageClient, session: Session) -> None:
        sign_up(client)
        client.post("/forgot-password", data={"email": "eve@example.com"})

        client.post(link(mails(session, "eve@example.com")[0]), data={"password": NEW_PASSWORD})

        assert wallet_of(session, "eve@example.com") == 5_000_000


class TestWithoutAGift:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, signup_credit=0)

    def test_the_wallet_starts_empty(self, client: PageClient, session: Session) -> None:
        assert "gift" not in client.get("/sign-up").text
        sign_up(client)

        assert wallet_of(session, "eve@example.com") == 0


def test_too_many_from_one_address_wait(app: Flask) -> None:
    for number in range(20):
        assert sign_up(app.test_client(), f"eve{number}@example.com").status_code == 303

    answer = sign_up(app.test_client(), "eve99@example.com")

    assert answer.status_code == 429
    assert "Retry-After" in answer.headers
