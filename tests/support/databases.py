"""Databases for tests: each test begins with an empty one that nobody else uses, on SQLite and on PostgreSQL.

Ask for `database_url`, `engine` or `session` to run on both; for `sqlite_url` or `pg_url` to run on one.
After every test that had a database its books are audited.

A database costs little to empty and much to get to know: connections, and every statement compiled anew. So most tests
have the same place, emptied, and the same engine; a test marked `slow` or `real_time`, which may start programs that
outlive it by a moment, has a place that no other test will have.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import ledger, schema
from app.db import make_engine
from app.flows import audit_books
from tests.support import postgresql
from tests.support.kept import Kept
from tests.support.pg_lending import Lender

# Whether there are any books to audit: two dozen questions for nothing would be ten milliseconds in every test.
_ANYTHING = "SELECT " + " OR ".join(
    f"EXISTS (SELECT 1 FROM {table})"
    for table in (
        "ledger_account",
        "ledger_entry",
        "ledger_leg",
        "ledger_hold",
        "ledger_rollup",
        "credit_grant",
        "credit_day",
    )
)

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with all tables and no rows, this test's own; the test runs once per kind of database."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "pg_url")


@pytest.fixture
def sqlite_url(
    sqlite_template: Path, kept_engines: Kept, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    file = tmp_path / "purser.db" if _apart(request.node) else kept_engines.sqlite_file
    url = f"sqlite:///{file}"
    kept_engines.disconnect(url)
    for old in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
        old.unlink(missing_ok=True)
    shutil.copyfile(sqlite_template, file)
    if file == kept_engines.sqlite_file:
        kept_engines.keep(url)
    yield url
    audit_the_books(url, request.node, kept_engines)


@pytest.fixture
def pg_url(pg_server: Lender, kept_engines: Kept, request: pytest.FixtureRequest) -> Iterator[str]:
    if _apart(request.node):
        with closing(pg_server.database()) as database:
            yield database.url
            audit_the_books(database.url, request.node, kept_engines)
        return
    lent = pg_server.lend()
    kept_engines.keep(lent.url)
    try:
        yield lent.url
        audit_the_books(lent.url, request.node, kept_engines)
    finally:
        if not pg_server.take_back(lent, kept_engines.processes(lent.url)):
            kept_engines.forget(lent.url)
            lent.close()


def _apart(node: pytest.Item) -> bool:
    return any(node.get_closest_marker(name) for name in ("slow", "real_time"))


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
def engine(database_url: str, kept_engines: Kept) -> Iterator[Engine]:
    if kept_engines.keeps(database_url):
        # The same engine, but what a test listens to ends with the test.
        yield kept_engines.engine(database_url).execution_options()
        return
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
def pg_server() -> Iterator[Lender]:
    with postgresql.server() as url:
        lender = Lender(url)
        yield lender
        lender.close()


@pytest.fixture(scope="session")
def kept_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    made = Kept(tmp_path_factory.mktemp("kept") / "purser.db")
    yield made
    made.close()


def audit_the_books(url: str, node: pytest.Item, kept: Kept | None = None) -> None:
    """Fail the test when it left books that do not add up, in the audit's own sentences."""
    if node.get_closest_marker("books_broken_on_purpose") or not hasattr(ledger, "audit"):
        return
    known = kept is not None and kept.keeps(url)
    engine = kept.engine(url) if kept is not None and known else make_engine(url)
    try:
        with Session(engine) as session:
            if not session.scalar(text(_ANYTHING)):
                return
            # The ledger's own tests move credits without grants, which it knows nothing of.
            audit = ledger.audit if "ledger" in node.path.parts else audit_books.audit
            faults = audit(session, full=True).faults
    finally:
        if not known:
            engine.dispose()
    if faults:
        pytest.fail("The books are wrong after this test:\n" + "\n".join(faults), pytrace=False)
