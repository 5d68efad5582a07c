"""Mailed links: they work once, for as long as they say, for what they say."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.people import email_links, staff
from app.people.email_links import LinkDead
from app.people.models import EmailToken, User
from tests.support.people import Person


@pytest.fixture
def user(session: Session, ada: Person) -> User:
    return session.get_one(User, ada.id)


def issued(session: Session, user: User, purpose: str = "reset") -> str:
    with transaction(session):
        return email_links.issue(session, user, purpose, user.email)


def test_it_works_once(session: Session, user: User) -> None:
    token = issued(session, user)

    with transaction(session):
        assert email_links.follow(session, token, "reset").user.id == user.id
    with pytest.raises(LinkDead), transaction(session):
        email_links.follow(session, token, "reset")


def test_looking_does_not_use_it_up(session: Session, user: User) -> None:
    token = issued(session, user)

    assert email_links.works(session, token, "reset")
    assert email_links.works(session, token, "reset")


@pytest.mark.parametrize(("purpose", "hours"), [("reset", 1), ("verify", 24)])
def test_it_dies_of_age(session: Session, user: User, clock, purpose: str, hours: int) -> None:
    token = issued(session, user, purpose)
    clock.advance(hours=hours)

    with pytest.raises(LinkDead), transaction(session):
        email_links.follow(session, token, purpose)


def test_a_newer_one_replaces_it(session: Session, user: User) -> None:
    old, new = issued(session, user), issued(session, user)

    assert not email_links.works(session, old, "reset")
    assert email_links.works(session, new, "reset")


def test_it_does_nothing_else(session: Session, user: User) -> None:
    token = issued(session, user, "verify")

    with pytest.raises(LinkDead), transaction(session):
        email_links.follow(session, token, "reset")


def test_it_is_worth_nothing_for_a_disabled_user(session: Session, user: User) -> None:
    token = issued(session, user)
    with transaction(session):
        staff.disable(session, user, actor="system")

    with pytest.raises(LinkDead), transaction(session):
        email_links.follow(session, token, "reset")


def test_it_is_not_kept_in_readable_form(session: Session, user: User) -> None:
    token = issued(session, user)

    assert token not in [kept.token_hash for kept in session.scalars(select(EmailToken))]


def test_of_two_who_follow_it_at_once_one_gets_through(engine: Engine, session: Session, user: User) -> None:
    token = issued(session, user)
    through: list[str] = []
    start = threading.Barrier(2)

    def follow() -> None:
        with Session(engine) as mine:
            start.wait()
            try:
                with transaction(mine):
                    through.append(email_links.follow(mine, token, "reset").email)
            except LinkDead:
                pass

    threads = [threading.Thread(target=follow) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(through) == 1
