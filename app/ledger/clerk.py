"""The clerk: applies one batch at a time to the books on a connection of its own, and commits it.

Every request has a key or can only happen once, so a batch whose fate is unknown (the connection broke during the
commit) is simply applied again: what had been written answers as a replay.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from app.ledger.memory import Memory
from app.ledger.requests import Request
from app.ledger.sheet import Result

_TRIES = 5
_PAUSE = 0.05  # seconds before the second try, doubled before each further one
# Seconds after which there is no further try. One may wait 15 s for SQLite's lock, so all together take 20 s at most:
# the HTTP server gives a request up after 60.
_PATIENCE = 5.0
_leaked: list[Any] = []  # connections inherited through a fork: closing them would hang up on the parent

Results = list[Result | Exception]


class Desk:
    """What both clerks share: a connection outside the pool, tries, and one by one when a batch as a whole fails.

    A clerk raises only when the database cannot be reached.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._raw: Any = None
        self._books: Any = None
        self._memory = Memory()
        self._cursor: Any = None
        self._errors: tuple[type[Exception], ...] = (
            engine.dialect.loaded_dbapi.OperationalError,
            engine.dialect.loaded_dbapi.InterfaceError,
        )

    def apply(self, requests: Sequence[Request]) -> Results:
        began = time.monotonic()
        for attempt in range(_TRIES):
            try:
                return self._apply(requests)
            except self._errors as gone:
                self.close()
                if attempt == _TRIES - 1 or time.monotonic() - began > _PATIENCE:
                    # Worded as everywhere else, so that callers know a database that is away when they see one.
                    raise OperationalError(None, None, gone) from gone
                time.sleep(_PAUSE * 2**attempt)
            except Exception as fault:
                self._roll_back()
                if len(requests) == 1:
                    return [fault]
                # Something in this batch is beyond the rules. Whoever it is, it must not take the others down.
                return [result for request in requests for result in self.apply([request])]
        raise AssertionError("unreachable")

    def _apply(self, requests: Sequence[Request]) -> Results:
        raise NotImplementedError

    def _run(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        raise NotImplementedError

    def _roll_back(self) -> None:
        if self._raw is not None:
            with contextlib.suppress(*self._errors):
                self._raw.rollback()

    def _connect(self) -> Any:
        """A connection taken out of the pool for good, with what the engine sets on each."""
        pooled = self._engine.raw_connection()
        raw = pooled.driver_connection
        pooled.detach()
        return raw

    def close(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            with contextlib.suppress(Exception):
                raw.close()

    def abandon(self) -> None:
        if self._raw is not None:
            _leaked.append(self._raw)
            self._raw = None
