"""Invitations: good once, for one person, for seven days."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.customers import invitations, members
from app.customers.invitations import InvitationDead
from app.db import transaction
from app.errors import Conflict, Invalid, NotFound
from app.people.models import User
from tests.support.people import Person


def invited(session: Session, ada: Person, email: str = "new@example.com", permission: str = "write") -> str:
    with transaction(session):
        return invitations.invite(session, ada.customer_id, email, permission, actor=ada.id)[1]


def test_it_makes_a_member_with_the_permission_offered(session: Session, ada: Person, bo: Person) -> None:
    token = invited(session, ada)

    with transaction(session):
        invitations.accept(session, token, session.get_one(User, bo.id))

    assert members.permission_of(session, ada.customer_id, bo.id) == "write"
    assert members.permission_of(session, bo.customer_id, bo.id) == "owner"


def test_it_works_once(session: Session, ada: Person, bo: Person, person) -> None:
    token, eve = invited(session, ada), person("Eve", "Eve's Orchard")
    with transaction(session):
        invitations.accept(session, token, session.get_one(User, bo.id))

    with pytest.raises(InvitationDead), transaction(session):
        invitations.accept(session, token, session.get_one(User, eve.id))


def test_of_two_who_accept_at_once_one_gets_in(
    engine: Engine, session: Session, ada: Person, bo: Person, person
) -> None:
    token, eve = invited(session, ada), person("Eve", "Eve's Orchard")
    start = threading.Barrier(2)
    inside: list[str] = []

    def accept(who: Person) -> None:
        with Session(engine) as mine:
            start.wait()
            try:
                with transaction(mine):
                    invitations.accept(mine, token, mine.get_one(User, who.id))
                inside.append(who.id)
            except InvitationDead:
                pass

    threads = [threading.Thread(target=accept, args=(who,)) for who in (bo, eve)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(inside) == 1
    session.rollback()
    assert len(members.of_customer(session, ada.customer_id)) == 2


def test_it_ends_by_age_withdrawal_or_a_newer_one(session: Session, ada: Person, clock) -> None:
    old, new = invited(session, ada), invited(session, ada, "NEW@example.com")
    with pytest.raises(InvitationDead):
        invitations.look(session, old)
    assert invitations.look(session, new).permission == "write"

    (still_open,) = invitations.open_of(session, ada.customer_id)
    with transaction(session):
        invitations.withdraw(session, ada.customer_id, still_open.id, actor=ada.id)
    with pytest.raises(InvitationDead):
        invitations.look(session, new)

    late = invited(session, ada)
    clock.advance(days=7)
    with pytest.raises(InvitationDead):
        invitations.look(session, late)


def test_nobody_withdraws_another_customers(session: Session, ada: Person, bo: Person) -> None:
    token = invited(session, ada)
    (mine,) = invitations.open_of(session, ada.customer_id)

    with pytest.raises(NotFound), transaction(session):
        invitations.withdraw(session, bo.customer_id, mine.id, actor=bo.id)

    assert invitations.look(session, token)


def test_a_member_is_not_invited(session: Session, ada: Person, cy: Person) -> None:
    with pytest.raises(Conflict):
        invited(session, ada, cy.email.upper())


def test_a_member_who_accepts_does_not_use_it_up(session: Session, ada: Person, cy: Person) -> None:
    token = invited(session, ada)

    with pytest.raises(Conflict), transaction(session):
        invitations.accept(session, token, session.get_one(User, cy.id))

    assert invitations.look(session, token)
    assert members.permission_of(session, ada.customer_id, cy.id) == "read"


def test_a_permission_exists(session: Session, ada: Person) -> None:
    with pytest.raises(Invalid):
        invited(session, ada, permission="root")
