"""Sessions: they end when they should, and an ended one is worth nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.customers import signed_in
from app.db import transaction
from app.people import sessions, staff, users
from app.people.models import LoginSession, User
from tests.support.people import Person


@pytest.fixture
def user(session: Session, ada: Person) -> User:
    return session.get_one(User, ada.id)


def begun(session: Session, user: User, customer_id: str | None = None) -> str:
    with transaction(session):
        return sessions.begin(session, user, address="192.0.2.1", browser="A browser", customer_id=customer_id)


def test_the_token_itself_is_not_kept(session: Session, user: User) -> None:
    token = begun(session, user)

    (kept,) = session.scalars(select(LoginSession)).all()

    assert len(token) == 43  # 256 bits
    assert token not in (kept.token_hash, kept.id)


def test_it_ends_after_twelve_idle_hours(session: Session, user: User, clock) -> None:
    token = begun(session, user)
    clock.advance(hours=11, minutes=59)
    assert signed_in.load(session, token)

    clock.advance(minutes=1)

    assert signed_in.load(session, token) is None


def test_use_keeps_it_alive_but_never_beyond_seven_days(session: Session, user: User, clock) -> None:
    token = begun(session, user)
    for _ in range(15):
        clock.advance(hours=11)
        assert signed_in.load(session, token)
        with transaction(session):
            sessions.touch(session, token)

    clock.advance(hours=3)  # 168 hours since it began

    assert signed_in.load(session, token) is None


def test_an_ended_one_is_dead(session: Session, user: User) -> None:
    token, other = begun(session, user), begun(session, user)

    with transaction(session):
        sessions.end(session, token)

    assert signed_in.load(session, token) is None
    assert signed_in.load(session, other)


def test_everywhere_means_everywhere_but_here(session: Session, user: User) -> None:
    here, there, elsewhere = begun(session, user), begun(session, user), begun(session, user)

    with transaction(session):
        assert sessions.end_all(session, user.id, keep_token=here) == 2

    assert signed_in.load(session, here)
    assert signed_in.load(session, there) is None
    assert signed_in.load(session, elsewhere) is None


def test_nobody_ends_another_users_session(session: Session, user: User, bo: Person) -> None:
    token = begun(session, user)
    (mine,) = sessions.of_user(session, user.id)

    with transaction(session):
        assert not sessions.end_one(session, bo.id, mine.id)

    assert signed_in.load(session, token)


def test_a_disabled_user_is_out_at_once(session: Session, user: User) -> None:
    token = begun(session, user)

    with transaction(session):
        staff.disable(session, user, actor="system")

    assert signed_in.load(session, token) is None


def test_a_new_role_or_password_ends_the_sessions_that_knew_the_old_one(session: Session, user: User) -> None:
    first = begun(session, user)
    with transaction(session):
        staff.set_role(session, user, "finance", actor="system")
    second = begun(session, user)
    with transaction(session):
        users.set_password(session, user, "a hash")

    assert signed_in.load(session, first) is None
    assert signed_in.load(session, second) is None


def test_one_query_finds_the_person_and_what_they_may(session: Session, user: User, ada: Person, cy: Person) -> None:
    token = begun(session, user, ada.customer_id)

    who = signed_in.load(session, token)

    assert who is not None
    assert (who.id, who.customer_id, who.permission) == (ada.id, ada.customer_id, "owner")


def test_a_customer_one_does_not_belong_to_is_not_chosen(session: Session, user: User, bo: Person) -> None:
    token = begun(session, user, bo.customer_id)

    who = signed_in.load(session, token)

    assert who is not None
    assert (who.customer_id, who.permission) == (None, None)
