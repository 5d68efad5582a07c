"""GET /portal/<token>: what the link of the host product opens, and what it never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.customers import members
from app.customers.models import PortalLink
from app.db import transaction
from app.flows.open_portal import Wish, open_portal
from app.people import staff, users
from app.people.models import LoginSession
from tests.authorization import PAGES, rows
from tests.support.people import Person
from tests.support.time import Clock
from tests.support.web import PageClient

BACK = "https://app.example.com/billing"
NEEDS_MORE = "<"  # an address with something of somebody's in it


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, return_origins=("https://app.example.com",))


@pytest.fixture
def link(session: Session, ada: Person) -> Callable[..., str]:
    """The address of a fresh link for Ada, or whom the words say."""

    def make(customer: str = "", path: str = "/wallet", **told: str) -> str:
        wish = Wish(customer or ada.customer_id, path, "key_1", return_url=BACK, **told)
        return f"/portal/{open_portal(session, wish)[1]}"

    return make


def test_it_signs_in_and_leads_to_the_page(client: PageClient, link: Callable[..., str], ada: Person) -> None:
    answer = client.get(link())

    assert (answer.status_code, answer.location) == (303, "/wallet")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    page = client.get("/wallet")
    assert page.status_code == 200
    assert "Analytical Engines" in page.text
    assert f'<a href="{BACK}" rel="noreferrer">' in page.text
    assert "Back to app.example.com" in page.text


def test_it_works_once(client: PageClient, app: Flask, link: Callable[..., str]) -> None:
    address = link()
    client.get(address)

    again = app.test_client().get(address)

    assert again.status_code == 410
    assert "This link does not work any more" in again.text
    assert f'href="{BACK}"' in again.text
    assert '<meta name="referrer" content="no-referrer">' in again.text
    assert again.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in again.headers or "_user_id" not in again.headers["Set-Cookie"]


def test_it_works_for_five_minutes(client: PageClient, link: Callable[..., str], clock: Clock) -> None:
    address = link()
    clock.advance(minutes=5)

    assert client.get(address).status_code == 410
    assert client.get("/wallet").status_code == 303


def test_looking_whether_it_is_there_uses_nothing_up(client: PageClient, link: Callable[..., str]) -> None:
    address = link()

    assert client.head(address).status_code == 200

    assert client.get(address).status_code == 303


def test_a_token_of_nobody_is_told_the_same(client: PageClient) -> None:
    answer = client.get("/portal/" + "x" * 43)

    assert answer.status_code == 410
    assert "Go to sign in" in answer.text


def test_a_member_who_left_or_was_switched_off_does_not_get_in(
    client: PageClient, link: Callable[..., str], session: Session, ada: Person, cy: Person, di: Person
) -> None:
    left, off = link(email=cy.email), link(email=di.email)
    with transaction(session):
        members.remove(session, ada.customer_id, cy.id, actor=ada.id)
        staff.disable(session, session.get_one(users.User, di.id), actor="system")

    assert client.get(left).status_code == 410
    assert client.get(off).status_code == 410


def test_it_reaches_that_customer_only(
    client: PageClient, link: Callable[..., str], session: Session, ada: Person, bo: Person
) -> None:
    with transaction(session):
        members.join(session, bo.customer_id, session.get_one(users.User, ada.id), "owner", actor=bo.id)
    client.get(link())

    page = client.get("/")
    assert "Bo&#39;s Boats" not in page.text
    assert client.post("/customer", data={"customer_id": bo.customer_id}).status_code == 403
    assert "Analytical Engines" in client.get("/").text

    with transaction(session):
        members.join(session, ada.customer_id, session.get_one(users.User, bo.id), "owner", actor=ada.id)
        members.remove(session, ada.customer_id, ada.id, actor=bo.id)
    gone = client.get("/")
    assert gone.status_code == 403
    assert "Bo&#39;s Boats" not in gone.text


def test_even_a_changed_choice_of_customer_leads_nowhere(
    client: PageClient, link: Callable[..., str], session: Session, ada: Person, bo: Person
) -> None:
    with transaction(session):
        members.join(session, bo.customer_id, session.get_one(users.User, ada.id), "owner", actor=bo.id)
    client.get(link())
    with transaction(session):
        session.scalars(
            select(LoginSession).where(LoginSession.bound_to.is_not(None))
        ).one().customer_id = bo.customer_id

    assert "Analytical Engines" in client.get("/").text


def test_it_never_opens_the_back_office(
    client: PageClient, link: Callable[..., str], session: Session, ada: Person
) -> None:
    with transaction(session):
        staff.set_role(session, session.get_one(users.User, ada.id), "admin", actor="system")
    client.get(link())

    assert "Back office" not in client.get("/").text
    asked = [route.split() for route in rows(PAGES) if " /admin" in route and NEEDS_MORE not in route]
    assert {(verb, path, client.open(path, method=verb).status_code) for verb, path in asked} == {
        (verb, path, 403) for verb, path in asked
    }


def test_it_does_not_open_the_persons_own_account(client: PageClient, link: Callable[..., str]) -> None:
    client.get(link())

    assert 'href="/profile"' not in client.get("/").text
    for verb, path in (
        ("GET", "/profile"), ("POST", "/profile"), ("POST", "/profile/email"), ("POST", "/profile/password"),
        ("POST", "/profile/sessions/end-others"), ("POST", "/verify-email"),
    ):  # fmt: skip
        assert client.open(path, method=verb).status_code == 403, path


def test_who_was_signed_in_before_is_not_any_more(
    client_of: Callable[[Person], PageClient], link: Callable[..., str], session: Session, bo: Person, ada: Person
) -> None:
    browser = client_of(bo)

    browser.get(link())

    session.rollback()
    assert [one.user_id for one in session.scalars(select(LoginSession))] == [ada.id]
    assert "Analytical Engines" in browser.get("/").text


def test_it_ends_after_twelve_hours_however_busy(client: PageClient, link: Callable[..., str], clock: Clock) -> None:
    client.get(link())
    for _ in range(11):
        clock.advance(hours=1)
        assert client.get("/wallet/balance").status_code == 200

    clock.advance(hours=1)

    assert client.get("/wallet").status_code == 303


def test_they_can_still_sign_in_themselves(client: PageClient, link: Callable[..., str]) -> None:
    client.get(link())

    assert client.get("/sign-in").status_code == 200


def test_no_token_is_logged(client: PageClient, link: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    address = link()
    client.get(address)
    client.get(address)

    printed = "".join(capsys.readouterr())
    assert '"/portal/<token>"' in printed
    assert address.rpartition("/")[2] not in printed


def test_old_links_are_forgotten(link: Callable[..., str], session: Session, clock: Clock) -> None:
    link()
    clock.advance(days=2)

    link()

    session.rollback()
    assert len(session.scalars(select(PortalLink)).all()) == 1
