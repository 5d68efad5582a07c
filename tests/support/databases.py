"""Databases for tests: each test has its own, copied from a template made once, on SQLite and on PostgreSQL.

Ask for `database_url`, `engine` or `session` to run on both; for `sqlite_url` or `pg_url` to run on one.
After every test that had a database its books are audited.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import ledger, schema
from app.db import make_engine
from tests.support import postgresql

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with all tables and no rows, this test's own; the test runs once per kind of database."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "pg_url")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    file = tmp_path / "purser.db"
    shutil.copyfile(sqlite_template, file)
    url = f"sqlite:///{file}"
    yield url
    audit_the_books(url, request.node)


@pytest.fixture
def pg_url(pg_server: PostgreSQL, request: pytest.FixtureRequest) -> Iterator[str]:
    with closing(pg_server.database()) as database:
        yield database.url
        audit_the_books(database.url, request.node)


@pytest.fixture
def new_database(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Callable[[], str]:
    """Makes further databases of the same kind, for tests that need a fresh one inside a loop. Not audited."""

    def make() -> str:
        if database_url.startswith("sqlite"):
            file = tmp_path / f"{uuid.uuid4().hex}.db"
            shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
            return f"sqlite:///{file}"
        database = request.getfixturevalue("pg_server").database()
        request.addfinalizer(database.close)
        return database.url

    return make


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session like the web's: rows stay readable after the commit. Change rows inside `transaction(session)`."""
    with Session(engine, expire_on_commit=False) as made:
        yield made


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "template.db"
    schema.upgrade(f"sqlite:///{file}")
    with closing(create_engine(f"sqlite:///{file}", poolclass=NullPool).raw_connection()) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the copy takes one file only
    return file


@pytest.fixture(scope="session")
def pg_server() -> Iterator[PostgreSQL]:
    with postgresql.server() as url:
        running = PostgreSQL(url)
        yield running
        running.close()


class PostgreSQL:
    """A server to make databases on, from a template with the tables in it."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT", pool_size=1)
        self._template = self._named()
        self._run(f"CREATE DATABASE {self._template}")
        schema.upgrade(self._address(self._template))

    def database(self) -> PostgreSQLDatabase:
        """A database of its own with all tables; `close()` drops it."""
        name = self._named()
        # wal_log: a tenth of the time of copying files, for a template this small.
        self._run(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY wal_log")
        return PostgreSQLDatabase(
            self._address(name), lambda: self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        )

    def empty_database(self) -> PostgreSQLDatabase:
        """A database without tables."""
        name = self._named()
        self._run(f"CREATE DATABASE {name}")
        return PostgreSQLDatabase(
            self._address(name), lambda: self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        )

    def close(self) -> None:
        self._run(f"DROP DATABASE IF EXISTS {self._template} WITH (FORCE)")
        self._engine.dispose()

    def _run(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement))

    def _address(self, name: str) -> str:
        return self.url.set(database=name).render_as_string(hide_password=False)

    @staticmethod
    def _named() -> str:
        return f"purser_test_{uuid.uuid4().hex[:16]}"


class PostgreSQLDatabase:
    """One test's database on a PostgreSQL server."""

    def __init__(self, url: str, close: Callable[[], None]) -> None:
        self.url = url
        self.close = close


def audit_the_books(url: str, node: pytest.Item) -> None:
    """Fail the test when it left books that do not add up, in the audit's own sentences."""
    if node.get_closest_marker("books_broken_on_purpose") or not hasattr(ledger, "audit"):
        return
    engine = make_engine(url)
    try:
        with Session(engine) as session:
            faults = ledger.audit(session, full=True).faults
    finally:
        engine.dispose()
    if faults:
        pytest.fail("The books are wrong after this test:\n" + "\n".join(faults), pytrace=False)
