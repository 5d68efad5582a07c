"""The migrations make exactly the tables, constraints, indexes and triggers that the models and the ledger describe."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from app import schema
from app.db import make_engine

POSTGRESQL = {
    "columns": "SELECT table_name, column_name, data_type, character_maximum_length, collation_name, is_nullable, "
    "column_default FROM information_schema.columns WHERE table_schema = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}
SPACE = re.compile(r"\s+")
SQLITE = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes databases without tables, of one kind."""
    made = []

    def make() -> str:
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path / f'{len(list(tmp_path.iterdir()))}.db'}"
        made.append(request.getfixturevalue("pg_server").empty_database())
        return str(made[-1].url)

    yield make
    for database in made:
        database.close()


def test_migrations_make_what_the_models_say(empty_databases: Callable[[], str]) -> None:
    migrated, modelled = empty_databases(), empty_databases()

    schema.upgrade(migrated)
    engine = make_engine(modelled)
    schema.metadata().create_all(engine)
    engine.dispose()

    ours, theirs = described(migrated), described(modelled)
    assert sorted(ours - theirs) == sorted(theirs - ours) == []


def test_running_them_again_changes_nothing(empty_databases: Callable[[], str]) -> None:
    url = empty_databases()
    schema.upgrade(url)
    before = described(url)

    schema.upgrade(url)

    assert described(url) == before


def test_they_can_be_taken_back_one_by_one(empty_databases: Callable[[], str]) -> None:
    url = empty_databases()
    schema.upgrade(url)

    schema.downgrade(url, "base")

    assert not [line for line in described(url) if "alembic_version" not in line]
    schema.upgrade(url)


def test_two_processes_may_migrate_at_once(empty_databases: Callable[[], str]) -> None:
    url = empty_databases()
    faults: list[Exception] = []

    def migrate(_number: int) -> None:
        try:
            schema.upgrade(url)
        except Exception as fault:
            faults.append(fault)

    # Alembic keeps its context in module globals, so threads cannot stand for processes: one goes first, one waits.
    engine = schema.migration_engine(url)
    with engine.connect() as first:
        hold_the_lock(first)
        second = threading.Thread(target=migrate, args=(2,))
        second.start()
        second.join(1)
        assert second.is_alive(), "the second did not wait for the first"
        first.rollback()
        release_the_lock(first)
    second.join(60)
    engine.dispose()

    assert not faults
    assert current(url) == schema.head()


def current(url: str) -> str:
    engine = make_engine(url)
    try:
        return schema.current(engine)
    finally:
        engine.dispose()


def hold_the_lock(connection: Connection) -> None:
    """What `schema.upgrade` waits for: the advisory lock on PostgreSQL, the write lock on SQLite."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": schema.ADVISORY_LOCK})
    else:
        connection.begin()


def release_the_lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": schema.ADVISORY_LOCK})


def described(url: str) -> set[str]:
    """Everything a database holds besides rows, a line for each thing, in one spelling."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return _sqlite(connection) if engine.dialect.name == "sqlite" else _postgresql(connection)
    finally:
        engine.dispose()


def _sqlite(connection: Connection) -> set[str]:
    found = set()
    for kind, name, sql in connection.execute(text(SQLITE)):
        if kind == "table" and name != "alembic_version":
            # Columns and constraints are a list; in which order constraints come means nothing.
            inner = SPACE.sub(" ", sql[sql.index("(") + 1 : sql.rindex(")")])
            found |= {f"{name}: {part.strip()}" for part in re.split(r",\s(?=[A-Za-z\"]\S* )", inner)}
        else:
            found.add(f"{kind} {name}: {SPACE.sub(' ', sql)}")
    return {line for line in found if "alembic_version" not in line}


def _postgresql(connection: Connection) -> set[str]:
    return {
        f"{kind}: {[SPACE.sub(' ', str(value)) for value in row]}"
        for kind, query in POSTGRESQL.items()
        for row in connection.execute(text(query))
        if "alembic_version" not in str(row)
    }
