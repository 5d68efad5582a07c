"""Members: what each may do, and that a customer always has an owner."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.customers import api_keys, members
from app.customers.members import LastOwner
from app.customers.models import ApiKey
from app.db import transaction
from app.errors import Conflict, Invalid, NotFound
from app.people.models import User
from tests.support.people import Person


@pytest.mark.parametrize(
    ("held", "allowed"),
    [(None, ()), ("read", ("read",)), ("write", ("read", "write")), ("owner", ("read", "write", "owner"))],
)
def test_a_permission_includes_those_before_it(held: str | None, allowed: tuple[str, ...]) -> None:
    assert tuple(wanted for wanted in ("read", "write", "owner") if members.allows(held, wanted)) == allowed


def test_the_last_owner_cannot_go(session: Session, ada: Person, di: Person) -> None:
    with pytest.raises(LastOwner), transaction(session):
        members.remove(session, ada.customer_id, ada.id, actor=ada.id)
    with pytest.raises(LastOwner), transaction(session):
        members.change(session, ada.customer_id, ada.id, "write", actor=ada.id)

    with transaction(session):
        members.change(session, ada.customer_id, di.id, "owner", actor=ada.id)
    with transaction(session):
        members.remove(session, ada.customer_id, ada.id, actor=ada.id)

    assert members.permission_of(session, ada.customer_id, ada.id) is None


def test_two_owners_who_remove_each_other_leave_one(engine: Engine, session: Session, ada: Person, di: Person) -> None:
    with transaction(session):
        members.change(session, ada.customer_id, di.id, "owner", actor=ada.id)
    start = threading.Barrier(2)
    refused: list[str] = []

    def remove(gone: Person, actor: Person) -> None:
        with Session(engine) as mine:
            start.wait()
            try:
                with transaction(mine):
                    members.remove(mine, ada.customer_id, gone.id, actor=actor.id)
            except LastOwner:
                refused.append(gone.id)

    threads = [threading.Thread(target=remove, args=pair) for pair in ((ada, di), (di, ada))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    session.rollback()
    assert len(refused) == 1
    assert [one.permission for one in members.of_customer(session, ada.customer_id)] == ["owner"]


def test_another_customers_member_is_nobody(session: Session, ada: Person, bo: Person) -> None:
    with pytest.raises(NotFound), transaction(session):
        members.change(session, ada.customer_id, bo.id, "owner", actor=ada.id)
    with pytest.raises(NotFound), transaction(session):
        members.remove(session, ada.customer_id, bo.id, actor=ada.id)


def test_one_joins_once_and_with_a_permission_that_exists(
    session: Session, ada: Person, cy: Person, bo: Person
) -> None:
    with pytest.raises(Conflict), transaction(session):
        members.join(session, ada.customer_id, session.get_one(User, cy.id), "owner", actor=ada.id)
    with pytest.raises(Invalid), transaction(session):
        members.join(session, ada.customer_id, session.get_one(User, bo.id), "root", actor=ada.id)


def test_keys_stop_with_their_maker(session: Session, ada: Person, di: Person) -> None:
    text = di.key()

    with transaction(session):
        members.remove(session, ada.customer_id, di.id, actor=ada.id)

    assert api_keys.caller(session, text) is None
    assert session.scalars(select(ApiKey)).one().revoked_at is not None


def test_an_owner_may_take_the_keys_over(session: Session, ada: Person, di: Person) -> None:
    text = di.key()

    with transaction(session):
        members.remove(session, ada.customer_id, di.id, actor=ada.id, adopt_keys=True)

    caller = api_keys.caller(session, text)
    assert caller is not None
    assert caller.permissions == {"billing:read", "billing:write"}


def test_whoever_leaves_cannot_keep_their_keys(session: Session, ada: Person, di: Person) -> None:
    text = di.key()

    with transaction(session):
        members.remove(session, ada.customer_id, di.id, actor=di.id, adopt_keys=True)

    assert api_keys.caller(session, text) is None
