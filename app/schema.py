"""The schema: every table in one metadata, and bringing a database up to it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from app.config import PACKAGE, resource
from app.db import Base, normalised

# Two processes that start together must not migrate together; any number will do, as long as it never changes.
ADVISORY_LOCK = 7_075_727_401


def metadata() -> MetaData:
    """The metadata with every package's tables in it. A package keeps them in `models.py` or `tables.py`."""
    for file in sorted([*PACKAGE.glob("*/models.py"), *PACKAGE.glob("*/tables.py")]):
        importlib.import_module(f"app.{file.parent.name}.{file.stem}")
    return Base.metadata


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to `revision`, making a SQLite file first. Safe to run again, and from two processes."""
    from alembic import command  # costs 0.4 s to import, and a web worker never migrates

    make_directory(url)
    engine = migration_engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
                connection.commit()
            command.upgrade(_config(connection), revision)
    finally:
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """Take the database back to `revision` ("base" removes every table and all they hold)."""
    from alembic import command

    engine = migration_engine(url)
    try:
        with engine.connect() as connection:
            command.downgrade(_config(connection), revision)
    finally:
        engine.dispose()


def run_statements(connection: Connection, revision: str) -> None:
    """For a migration: run `migrations/sql/<revision>_<database>.sql`, its statements parted by lines of `-- next`.

    What a migration ran must never change, so triggers stand there as text and are not taken from today's code.
    """
    file = resource("migrations") / "sql" / f"{revision}_{connection.dialect.name}.sql"
    for statement in file.read_text(encoding="utf-8").split("-- next\n"):
        connection.exec_driver_sql(statement)


def head() -> str:
    """The newest revision this program knows; "" while there is none."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config(None)).get_current_head() or ""


def current(engine: Engine) -> str:
    """The revision a database is at; "" for one without tables."""
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def make_directory(url: str) -> None:
    """Make the directory a SQLite file stands in, which SQLite itself does not do."""
    file = _sqlite_file(url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)


def exists(url: str) -> bool:
    """Whether there is a SQLite file to connect to; of a server only connecting can tell, so that is True."""
    file = _sqlite_file(url)
    return file is None or file.exists()


def _sqlite_file(url: str) -> Path | None:
    parsed = make_url(normalised(url))
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def migration_engine(url: str) -> Engine:
    """An engine of its own for migrations: on SQLite foreign keys are off, since rebuilding a table would cascade."""
    engine = create_engine(normalised(url), poolclass=NullPool)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _connected(raw: Any, _record: Any) -> None:
            raw.isolation_level = None
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=OFF", "busy_timeout=60000"):
                raw.execute("PRAGMA " + pragma)

        @event.listens_for(engine, "begin")
        def _begun(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # a second process waits here, then finds nothing to do

    return engine


def _config(connection: Any) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resource("migrations")))
    config.attributes["connection"] = connection
    return config
