"""The tests' own footing: each test has an empty database of its own, a clock that stands still, and no network."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import clock as the_clock
from app.db import transaction
from tests.support.network import NetworkForbidden
from tests.support.pg_lending import Lender
from tests.support.time import START, Clock

pytestmark = pytest.mark.both_databases

TRIGGERS = "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"


@pytest.mark.parametrize("_round", [1, 2])
def test_it_gives_each_test_an_empty_database_of_its_own(session: Session, _round: int) -> None:
    with transaction(session):
        before = session.execute(text("SELECT count(*) FROM mail")).scalar_one()
        session.execute(text("CREATE TABLE left_behind (id integer)"))

    assert before == 0


def test_a_database_is_wiped_before_it_is_lent_again(pg_server: Lender) -> None:
    lent = pg_server.database()
    engine = create_engine(lent.url, poolclass=NullPool)
    with engine.connect() as connection:
        triggers = connection.execute(text(TRIGGERS)).all()
        connection.execute(text("INSERT INTO ledger_account (customer_id, kind, asset) VALUES ('c', 'wallet', 'usd')"))
        connection.commit()

    assert pg_server.take_back(lent, set())

    again = pg_server.lend()
    assert again is lent
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM ledger_account")).scalar_one() == 0
        assert connection.execute(text(TRIGGERS)).all() == triggers
    again.close()


@pytest.mark.parametrize("statement", ["ALTER TABLE mail DISABLE TRIGGER ALL", "SELECT 1"], ids=["changed", "in use"])
def test_a_database_that_was_changed_or_is_in_use_is_not_lent_again(pg_server: Lender, statement: str) -> None:
    lent = pg_server.database()
    engine = create_engine(lent.url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))
        connection.commit()

        taken_back = pg_server.take_back(lent, set())

    lent.close()
    assert not taken_back


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
