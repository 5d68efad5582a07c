"""The tests' own footing: each test has an empty database of its own, a clock that stands still, and no network."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app import clock as the_clock
from app.db import transaction
from tests.support.network import NetworkForbidden
from tests.support.time import START, Clock


@pytest.mark.parametrize("_round", [1, 2])
def test_it_gives_each_test_an_empty_database_of_its_own(session: Session, _round: int) -> None:
    with transaction(session):
        before = session.execute(text("SELECT count(*) FROM mail")).scalar_one()
        session.execute(text("CREATE TABLE left_behind (id integer)"))

    assert before == 0


def test_it_runs_on_the_database_it_says(engine: Engine, request: pytest.FixtureRequest) -> None:
    assert engine.dialect.name in request.node.name


def test_the_clock_stands_still_until_moved(clock: Clock) -> None:
    assert the_clock.now() == START

    clock.advance(days=31)

    assert (the_clock.now() - START).days == 31


def test_it_refuses_to_leave_the_machine() -> None:
    with pytest.raises(NetworkForbidden), socket.socket() as line:
        line.connect(("192.0.2.1", 80))
    with pytest.raises(NetworkForbidden):
        socket.getaddrinfo("example.com", 443)
