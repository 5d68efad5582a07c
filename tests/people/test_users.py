"""Users: one for each mailbox, whoever races for it."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.errors import Conflict, Invalid
from app.people import staff, users
from app.people.models import User
from tests.support.people import Person


def test_another_spelling_is_the_same_user(session: Session, ada: Person) -> None:
    with transaction(session):
        assert users.create(session, name="Eve", email="ADA@Example.com", password_hash=None) is None

    assert session.scalar(select(func.count()).select_from(User)) == 1


def test_of_two_who_race_for_a_mailbox_one_gets_it(engine: Engine) -> None:
    made: list[str] = []
    start = threading.Barrier(4)

    def create(spelling: str) -> None:
        with Session(engine, expire_on_commit=False) as mine:
            start.wait()
            with transaction(mine):
                user = users.create(mine, name="Ada", email=spelling, password_hash=None)
            if user:
                made.append(user.id)

    spellings = ("ada@example.com", "Ada@example.com", "ADA@EXAMPLE.COM", "ada@Example.com")
    threads = [threading.Thread(target=create, args=(spelling,)) for spelling in spellings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1


def test_nobody_takes_over_anothers_address(session: Session, ada: Person, bo: Person) -> None:
    with pytest.raises(Conflict), transaction(session):
        users.set_email(session, session.get_one(User, ada.id), bo.email)

    session.expire_all()
    assert session.get_one(User, ada.id).email == ada.email


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\x00b", "a\u202eb"])
def test_a_name_is_one_line_of_text(session: Session, ada: Person, name: str) -> None:
    with pytest.raises(Invalid), transaction(session):
        users.rename(session, session.get_one(User, ada.id), name)


def test_a_staff_role_is_one_of_three(session: Session, ada: Person) -> None:
    with pytest.raises(Invalid), transaction(session):
        staff.set_role(session, session.get_one(User, ada.id), "root", actor="system")


def test_a_time_zone_exists(session: Session, ada: Person) -> None:
    user = session.get_one(User, ada.id)

    with pytest.raises(Invalid), transaction(session):
        users.set_time_zone(session, user, "Europe/Atlantis")
    with transaction(session):
        users.set_time_zone(session, user, "Asia/Kathmandu")

    assert user.time_zone == "Asia/Kathmandu"
