"""The database: declarative base, column types, engines for SQLite and PostgreSQL, and the one place that commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Engine, MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import JSON, TypeDecorator

# Constraint names are fixed from day one: a migration cannot drop what it cannot name.
NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# An error's text goes to the log and to staff; a statement's values may be a mail with a sign-in link in it.
_QUIET = {"hide_parameters": True}


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive values on the way in and gives aware UTC on the way out (SPEC R9)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UTCDateTime, dict[str, Any]: JSON, list[Any]: JSON}


def normalised(url: str) -> str:
    """The URL with the driver named: `postgres://` and `postgresql://` mean psycopg 3."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def engine_options(url: str) -> dict[str, Any]:
    """Options that both `make_engine` and Flask-SQLAlchemy give to `create_engine`."""
    if make_url(normalised(url)).get_backend_name() == "sqlite":
        # The waiting is done by busy_timeout inside SQLite; the pool must not add threads' own limits to it.
        return {**_QUIET, "pool_size": 32, "max_overflow": 32, "connect_args": {"check_same_thread": False}}
    return {**_QUIET, "pool_size": 16, "max_overflow": 32, "pool_pre_ping": True}


def make_engine(url: str) -> Engine:
    """An engine set up for money: see `prepare_engine`. `url` may be any form `normalised` understands."""
    engine = create_engine(normalised(url), **engine_options(url))
    prepare_engine(engine)
    return engine


def prepare_engine(engine: Engine) -> None:
    """SQLite: WAL, synchronous=FULL (NORMAL loses acknowledged debits in a power cut), real BEGINs by our own hand."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # the driver's own transaction handling silently loses updates
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
            raw.execute("PRAGMA " + pragma)

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        # A transaction that will write takes the write lock first: upgrading later fails however long one waits.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class NestedTransaction(AssertionError):
    """Someone opened a transaction inside a transaction: a verb that must not commit tried to."""


@contextmanager
def transaction(session: Session) -> Iterator[Session]:
    """The only place that commits. Entry points and flows use it, visibly; domains never do.

    Ends whatever read the session had open, forgets what it read (others may have written since), takes the write
    lock on SQLite, and commits at the end or rolls everything back. Refuses nesting.
    """
    if session.info.get("in_transaction"):
        raise NestedTransaction("transaction() inside transaction()")
    assert not any((session.new, session.dirty, session.deleted)), "changes were made outside a transaction"
    session.commit()
    session.expire_all()
    session.info["in_transaction"] = True
    try:
        session.connection(execution_options={"writes": True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_transaction"] = False
