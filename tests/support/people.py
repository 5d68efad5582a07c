"""The cast: Ada owns a customer, Bo owns another, Cy and Di work for Ada, and three people run the back office.

All are made through the program's own verbs. Ask for `ada`, `bo`, `cy`, `di`, `support`, `finance` or `admin`;
`client_of(ada)` is a browser in which Ada is signed in, `ada.key("billing:read")` a key for her programs.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import ledger
from app.config import Settings
from app.customers import api_keys, members
from app.db import transaction
from app.flows import sign_up
from app.ledger import Account
from app.people import passwords, sessions, staff, users
from app.wallet import adjust
from tests.support.web import PageClient

PASSWORD = "violet harbour tandem"


@dataclass(frozen=True)
class Person:
    """Somebody in a story, with the customer they look at; staff have none."""

    session: Session
    id: str
    name: str
    email: str
    customer_id: str = ""

    @property
    def wallet(self) -> Account:
        return Account(self.customer_id, "wallet", "usd")

    def balance(self) -> int:
        """The wallet's balance in micros, as of now."""
        self.session.rollback()  # end an older read, so that what others committed is seen
        return ledger.balance(self.session, self.wallet).balance

    def gets(self, cents: int) -> None:
        """Put money into the wallet by hand, as finance would."""
        with transaction(self.session):
            adjust.adjust(
                self.session,
                self.customer_id,
                cents * 10_000,
                reason="Money for a test",
                actor="system",
                key=uuid.uuid4().hex,
            )

    def key(self, *permissions: str) -> str:
        """The text of a new API key of theirs; without permissions it may read and write."""
        with transaction(self.session):
            _, text = api_keys.create_customer_key(
                self.session,
                self.customer_id,
                name="A test's key",
                permissions=permissions or ("billing:read", "billing:write"),
                made_by=self.id,
            )
        return text

    def hires(self, name: str, permission: str) -> Person:
        """A new member of this person's customer."""
        with transaction(self.session):
            user = _user(self.session, name)
            members.join(self.session, self.customer_id, user, permission, actor=self.id)
        return Person(self.session, user.id, user.name, user.email, self.customer_id)


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> None:
    """Hashing a password may cost nothing in tests: 60 ms for each person would be minutes in all."""
    passwords.use(memory_kib=8, rounds=1)


@pytest.fixture
def person(session: Session, settings: Settings) -> Callable[[str, str], Person]:
    """Signs somebody up, with a confirmed address: `person("Eve", "Eve's Orchard")`."""

    def make(name: str, company: str) -> Person:
        email = _email(name)
        user = sign_up.sign_up(session, settings, name=name, email=email, password=PASSWORD, company=company)
        assert user is not None, f"{email} is taken"
        with transaction(session):
            users.set_email(session, user, email)
        customer_id = members.of_user(session, user.id)[0][0]
        return Person(session, user.id, name, email, customer_id)

    return make


@pytest.fixture
def ada(person: Callable[[str, str], Person]) -> Person:
    return person("Ada", "Analytical Engines")


@pytest.fixture
def bo(person: Callable[[str, str], Person]) -> Person:
    """Somebody else altogether: owner of another customer."""
    return person("Bo", "Bo's Boats")


@pytest.fixture
def cy(ada: Person) -> Person:
    """May look at Ada's billing, and nothing more."""
    return ada.hires("Cy", "read")


@pytest.fixture
def di(ada: Person) -> Person:
    """May spend Ada's money, but not manage her team."""
    return ada.hires("Di", "write")


@pytest.fixture
def support(session: Session) -> Person:
    return _staff(session, "Sam", "support")


@pytest.fixture
def finance(session: Session) -> Person:
    return _staff(session, "Fay", "finance")


@pytest.fixture
def admin(session: Session) -> Person:
    return _staff(session, "Ann", "admin")


@pytest.fixture
def service_key(session: Session) -> str:
    """The host product's key, for everything a service key can do."""
    with transaction(session):
        _, text = api_keys.create_service_key(session, name="The host's back end")
    return text


@pytest.fixture
def client_of(app: Flask, session: Session) -> Callable[[Person], PageClient]:
    """A browser of its own in which that person is signed in, without going through the sign-in page."""

    def signed_in(who: Person) -> PageClient:
        with transaction(session):
            user = users.by_id(session, who.id)
            assert user is not None
            token = sessions.begin(session, user, customer_id=who.customer_id or None)
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True
        return client

    return signed_in


def _staff(session: Session, name: str, role: str) -> Person:
    with transaction(session):
        user = _user(session, name)
        staff.set_role(session, user, role, actor="system")
    return Person(session, user.id, user.name, user.email)


def _user(session: Session, name: str) -> users.User:
    user = users.create(session, name=name, email=_email(name), password_hash=passwords.hashed(PASSWORD), verified=True)
    assert user is not None
    return user


def _email(name: str) -> str:
    return f"{name.lower()}@example.com"
