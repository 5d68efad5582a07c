"""Links of the portal: raced by many, and within their time."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from app import errors
from app.customers import portal_links
from app.customers.models import Membership
from app.db import transaction
from app.flows.open_portal import Wish, open_portal
from app.people.models import LoginSession
from tests.support.people import Person
from tests.support.time import Clock


@pytest.mark.both_databases
def test_of_many_who_follow_it_at_once_one_gets_in(engine: Engine, ada: Person, session: Session) -> None:
    _, token = open_portal(session, Wish(ada.customer_id, "/", "key_1"))
    session.rollback()
    begin, told = threading.Barrier(6), []

    def follow() -> None:
        begin.wait()
        with sessionmaker(engine)() as own:
            try:
                with transaction(own):
                    portal_links.follow(own, token, address="", browser="")
            except errors.Refusal as refusal:
                told.append(type(refusal).code)
            else:
                told.append("in")

    threads = [threading.Thread(target=follow) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == [*["LINK_EXPIRED"] * 5, "in"]
    session.rollback()
    assert len(session.scalars(select(LoginSession)).all()) == 1


@pytest.mark.both_databases
def test_of_many_who_bring_the_same_newcomer_each_gets_a_link(engine: Engine, ada: Person, session: Session) -> None:
    begin, links, faults = threading.Barrier(4), [], []

    def bring() -> None:
        begin.wait()
        try:
            with sessionmaker(engine)() as own:
                links.append(open_portal(own, Wish(ada.customer_id, "/", "key_1", email="eve@example.com"))[1])
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=bring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (faults, len(set(links))) == ([], 4)
    session.rollback()
    assert len(session.scalars(select(Membership).where(Membership.customer_id == ada.customer_id)).all()) == 2


@pytest.mark.parametrize("minutes", [4, 6])
def test_the_link_says_when_it_ends(session: Session, ada: Person, clock: Clock, minutes: int) -> None:
    made, token = open_portal(session, Wish(ada.customer_id, "/", "key_1"))
    assert made.expires_at == clock.now + timedelta(minutes=5)

    clock.advance(minutes=minutes)

    with transaction(session):
        if minutes < 5:
            assert portal_links.follow(session, token, address="", browser="").path == "/"
        else:
            with pytest.raises(portal_links.PortalLinkDead):
                portal_links.follow(session, token, address="", browser="")
