"""The businesses that the back office is measured on: made once, and used again where they are kept."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import create_app, ledger, schema
from app.config import Settings
from app.db import normalised, transaction
from app.extensions import db
from app.people import sessions, users
from benchmarks import many_customers
from benchmarks.many_customers import settings_for

AUDITED = 1_000  # customers at most: the whole of a larger one takes too long to recount each time
_UNFINISHED = "-being-made"


@dataclass
class Office:
    """One business: its application, a signed-in admin, and how many customers and entries for each it has."""

    app: Flask
    engine: Engine
    browser: FlaskClient
    customers: int
    each: int


@dataclass(frozen=True)
class Files:
    """SQLite files in a directory."""

    folder: Path

    def url(self, name: str) -> str:
        return f"sqlite:///{self.folder.resolve()}/{name}.db"

    def has(self, name: str) -> bool:
        return (self.folder / f"{name}.db").exists()

    def drop(self, name: str) -> None:
        for file in self.folder.glob(f"{name}.db*"):
            file.unlink()

    def rename(self, name: str, to: str) -> None:
        assert not (self.folder / f"{name}.db-wal").exists(), "somebody still has the database open"
        (self.folder / f"{name}.db").rename(self.folder / f"{to}.db")


@dataclass(frozen=True)
class Server:
    """Databases of a PostgreSQL whose socket is in a directory."""

    home: Path

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.home}"

    def has(self, name: str) -> bool:
        return bool(self._run("SELECT 1 FROM pg_database WHERE datname = :name", name))

    def drop(self, name: str) -> None:
        self._run(f'DROP DATABASE IF EXISTS "{name}"')

    def rename(self, name: str, to: str) -> None:
        self._run(f'ALTER DATABASE "{name}" RENAME TO "{to}"')

    def create(self, name: str) -> None:
        self._run(f'CREATE DATABASE "{name}"')

    def _run(self, sql: str, name: str = "") -> list[object]:
        engine = create_engine(normalised(self.url("postgres")), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            found = connection.execute(text(sql), {"name": name} if name else {})
            return list(found) if found.returns_rows else []


def open_office(place: Files | Server, customers: int, each: int) -> Office:
    """The business of this size, made now where the place has none; one that was kept gets the newest schema."""
    name = f"{customers}-{each}"
    is_new = not place.has(name)
    if is_new:
        _make(place, name, customers, each)
    settings: Settings = settings_for(place.url(name))
    schema.upgrade(settings.database_url)
    app = create_app(settings)
    logging.disable(logging.CRITICAL)
    with app.app_context():
        engine = db.engine
    with Session(engine, expire_on_commit=False) as session:
        if is_new and customers <= AUDITED:
            assert not ledger.audit(session, full=True).faults, "what was made is not what the verbs would have written"
        session.rollback()
        admin = users.by_email(session, "admin@example.com")
        assert admin is not None
        with transaction(session):
            token = sessions.begin(session, admin, customer_id=None)
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    return Office(app, engine, browser, customers, each)


def _make(place: Files | Server, name: str, customers: int, each: int) -> None:
    """Under another name until it is done: what was interrupted must not be taken for whole."""
    unfinished, began = name + _UNFINISHED, time.monotonic()
    place.drop(unfinished)
    if isinstance(place, Server):
        place.create(unfinished)
    many_customers.make(settings_for(place.url(unfinished)), customers, each).dispose()
    place.rename(unfinished, name)
    print(f"{customers:,} customers with {each} entries made in {time.monotonic() - began:.0f} s", flush=True)
