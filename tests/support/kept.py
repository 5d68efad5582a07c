"""Engines and applications that serve one test after another, on databases that are emptied in between.

An engine remembers how each statement is compiled, and its connections; an application, how each route is. Made anew
for every test, that was half of all time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event

from app.config import Settings
from app.db import make_engine
from app.extensions import db
from app.payments import unverified

MOST_APPLICATIONS = 8
STATEMENTS = 3_000  # compiled ones an engine remembers: all tests together know more than the usual 500


@dataclass
class Known:
    """What is kept of one database: the tests' engine, applications, and who at the server serves them."""

    engine: Engine
    processes: set[int]
    applications: dict[Settings, Flask]


class Kept:
    """One worker's engines and applications, by the database's URL."""

    def __init__(self, sqlite_file: Path) -> None:
        self.sqlite_file = sqlite_file
        self._known: dict[str, Known] = {}

    def keep(self, url: str) -> None:
        """From now on this database is one that is emptied and used again."""
        if url not in self._known:
            known = self._known[url] = Known(make_engine(url), set(), {})
            _keep_well(known.engine, known.processes)

    def keeps(self, url: str) -> bool:
        return url in self._known

    def engine(self, url: str) -> Engine:
        return self._known[url].engine

    def processes(self, url: str) -> set[int]:
        """The process ids of the server's side of every connection made so far."""
        return self._known[url].processes

    @contextmanager
    def application(self, settings: Settings, make: Callable[[Settings], Flask]) -> Iterator[Flask]:
        """An application with these settings. What a test changes in it is changed back."""
        known = self._known[settings.database_url]
        app = known.applications.get(settings)
        if app is None:
            while len(known.applications) >= MOST_APPLICATIONS:
                disconnect(known.applications.pop(next(iter(known.applications))))
            app = known.applications[settings] = make(settings)
            with app.app_context():
                _keep_well(db.engine, known.processes)
        before = {**app.config}, {**app.extensions}
        app.extensions["unverified"] = unverified.Counts()  # what another test counted is not this one's
        try:
            yield app
        finally:
            for now, then in zip((app.config, app.extensions), before, strict=True):
                now.clear()
                now.update(then)

    def disconnect(self, url: str) -> None:
        """Close every connection that rests in a pool: the file it has open is about to go."""
        if known := self._known.get(url):
            known.engine.dispose()
            for app in known.applications.values():
                disconnect(app)

    def forget(self, url: str) -> None:
        """The database is gone."""
        self.disconnect(url)
        self._known.pop(url, None)

    def close(self) -> None:
        for url in list(self._known):
            self.forget(url)


def disconnect(app: Flask) -> None:
    """Close the application's connections; it opens others when it needs them."""
    app.extensions["committer"].close()
    app.extensions["counter"].close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _keep_well(engine: Engine, processes: set[int]) -> None:
    """Remember what it compiles, and note who at the server serves it."""
    if engine._compiled_cache is not None:
        engine._compiled_cache.capacity = STATEMENTS
    if engine.dialect.name == "postgresql":

        @event.listens_for(engine, "connect")
        def _connected(raw: Any, _record: Any) -> None:
            processes.add(raw.info.backend_pid)
