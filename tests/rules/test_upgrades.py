"""A database full of rows that an older program wrote: it is taken over whole, its books add up and its pages read.

`left_by_0021.sql.gz` is all that the demo of revision 0021 had, with two disputes and a session for each person.
"""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.orm import Session

from app import activity, ledger, schema
from app.db import make_engine, transaction
from app.flows import audit_books
from app.people.models import User
from app.wallet import adjust
from app.wallet.accounts import wallet_of
from tests.support.people import Person
from tests.support.pg_lending import TABLES, connected, past_triggers
from tests.support.time import Clock

TRUTHS = "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND data_type = 'boolean'"
ROWS = Path(__file__).with_name("left_by_0021.sql.gz")
THEN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # the day after
ADAS = "cus_01m7zsefjknjfe80m72hkha5n7"
KNOWN_EVENTS = (15, 11)  # of how many it is known whose they are, and of which order
STAFFS_PAGES = [
    *("/admin", "/admin/customers", "/admin/activity", "/admin/webhooks", "/admin/disputes", "/admin/books"),
    f"/admin/customers/{ADAS}",
]
ADAS_PAGES = ["/", "/wallet", "/plan", "/credits", "/invoices"]


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A file as the older program left it, its schema by that program's migrations."""
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file)) as raw:
        raw.executescript(gzip.decompress(ROWS.read_bytes()).decode())
    return file


@pytest.fixture
def database_url(old_file: Path) -> str:
    return f"sqlite:///{old_file}"


@pytest.fixture
def pg_url_of_old(old_file: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The same rows at the same revision on PostgreSQL."""
    with closing(request.getfixturevalue("pg_server").empty_database()) as database:
        schema.upgrade(database.url, "0021")
        _copy(old_file, database.url)
        yield database.url


def test_what_0021_left_is_taken_over_and_worked_on_and_its_pages_read(
    database_url: str, clock: Clock, request: pytest.FixtureRequest
) -> None:
    before = counted(database_url)

    schema.upgrade(database_url)

    assert {table: count for table, count in counted(database_url).items() if table in before} == before
    clock.set(THEN)
    assert_it_works(database_url)
    session, client_of = (request.getfixturevalue(name) for name in ("session", "client_of"))
    for email, pages in (("admin@example.com", STAFFS_PAGES), ("ada@example.com", ADAS_PAGES)):
        client = client_of(_known(session, email))
        assert {page: client.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)


@pytest.mark.postgresql
def test_what_0021_left_is_taken_over_there_and_the_ledgers_doors_go_back_and_forth(
    pg_url_of_old: str, clock: Clock
) -> None:
    before = counted(pg_url_of_old)

    schema.upgrade(pg_url_of_old)

    assert {table: count for table, count in counted(pg_url_of_old).items() if table in before} == before
    clock.set(THEN)
    assert_it_works(pg_url_of_old)
    schema.downgrade(pg_url_of_old, "0027")
    schema.upgrade(pg_url_of_old)
    assert_it_works(pg_url_of_old, again=True)


def assert_it_works(url: str, *, again: bool = False) -> None:
    """The books agree before and after they are written to, and the audit log is sealed."""
    engine = make_engine(url)
    with Session(engine) as session:
        assert audit_books.audit(session, full=True).faults == []
        had = ledger.balance(session, wallet_of(ADAS)).balance
        session.rollback()
        with transaction(session):
            adjust.adjust(session, ADAS, 70_000, reason="Since", actor="system", key=f"since {again}")
        assert ledger.balance(session, wallet_of(ADAS)).balance == had + 70_000
        assert audit_books.audit(session, full=True).faults == []
        fees = session.execute(text("SELECT phase, fee_minor, booked_fee_minor FROM dispute ORDER BY phase")).all()
        assert [tuple(row) for row in fees] == [("lost", 1500, 1500), ("open", 1500, 0)]
        known = session.execute(text("SELECT count(customer_id), count(order_id) FROM provider_event")).one()
        assert tuple(known) == KNOWN_EVENTS
        session.rollback()
        with transaction(session):
            activity.chain.seal(session)
    engine.dispose()


def counted(url: str) -> dict[str, int]:
    """How many rows each table has."""
    engine = make_engine(url)
    tables = MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        names = [name for name in tables.tables if name != "alembic_version"]
        found = {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}
    engine.dispose()
    return found


def _copy(file: Path, url: str) -> None:
    """Every row, past triggers and references: they were kept when the rows were written."""
    with connected(url) as there, closing(sqlite3.connect(file)) as here, there.transaction():
        there.execute("SET LOCAL session_replication_role = replica")
        there.execute("SET LOCAL timezone = 'UTC'")
        for (table,) in there.execute(TABLES).fetchall():
            if table != "alembic_version":
                disable, enable = past_triggers(there, table)
                there.execute(disable)
                _copy_table(table, here, there)
                there.execute(enable)
        there.execute("SELECT setval('ledger_leg_number', max(number)) FROM ledger_leg")


def _copy_table(table: str, here: sqlite3.Connection, there: Any) -> None:
    truths = {name for (name,) in there.execute(TRUTHS, [table])}
    # The order of the legs is a sequence there and the rowid here.
    found = here.execute(f"SELECT {'rowid AS number, ' * (table == 'ledger_leg')}* FROM {table}")
    names = [column[0] for column in found.description]
    rows = [dict(reversed(list(zip(names, row, strict=True)))) for row in found]
    columns = sorted(set(names))
    told = [
        [bool(row[name]) if name in truths and row[name] is not None else row[name] for name in columns] for row in rows
    ]
    listed, places = ", ".join(f'"{name}"' for name in columns), ", ".join(["%s"] * len(columns))
    there.cursor().executemany(f"INSERT INTO {table} ({listed}) VALUES ({places})", told)


def _known(session: Session, email: str) -> Person:
    with transaction(session):
        user = session.query(User).filter_by(email=email).one()
    return Person(session, user.id, user.name, user.email, "" if user.staff_role else ADAS)
