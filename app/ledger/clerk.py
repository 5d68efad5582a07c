"""The clerk: applies one batch at a time to the books on a connection of its own, and commits it.

Every request has a key or can only happen once, so a batch whose fate is unknown (the connection broke during the
commit) is simply applied again: what had been written answers as a replay.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from app.errors import Refusal
from app.ledger.books import Books, apply, books_for
from app.ledger.books_postgresql import guess_call
from app.ledger.direct_write import DirectWrite
from app.ledger.memory import Memory
from app.ledger.requests import Request
from app.ledger.sheet import Result, Sheet

_TRIES = 5
_PAUSE = 0.05  # seconds before the second try, doubled before each further one
# Seconds after which there is no further try. One may wait 15 s for SQLite's lock, so all together take 20 s at most:
# the HTTP server gives a request up after 60.
_PATIENCE = 5.0
PART = 250  # requests of a large batch that are written at once
_KEYS = ("uq_ledger_entry_customer_id_key", "uq_ledger_entry_reverses")
_leaked: list[Any] = []  # connections inherited through a fork: closing them would hang up on the parent

Results = list[Result | Exception]


class Clerk(Protocol):
    """Applies batches to one kind of database."""

    def apply(self, requests: Sequence[Request]) -> Results:
        """Each request's result or refusal, in order, durable. Raises only when the database cannot be reached."""

    def close(self) -> None: ...

    def abandon(self) -> None:
        """Forget the connection without touching it: it belongs to the parent process."""


def clerk_for(engine: Engine) -> Clerk:
    return SqliteClerk(engine) if engine.dialect.name == "sqlite" else PostgresClerk(engine)


class _Desk:
    """What both clerks share: a connection outside the pool, tries, and one by one when a batch as a whole fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._raw: Any = None
        self._books: Books | None = None
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
        self._books = books_for(self._engine.dialect.name, self._run)
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


def _moved_meanwhile(failure: Exception) -> bool:
    """Whether a write was refused because another transaction was faster: what was computed is to be computed anew."""
    if getattr(failure, "sqlstate", None) == "23505":  # unique_violation
        return getattr(failure, "diag").constraint_name in _KEYS  # noqa: B009 - only the driver's errors have it
    return getattr(failure, "sqlstate", None) in ("PU001", "40P01", "40001")


class _NotRemembered(Exception):
    """A part of a batch needs what this process has not seen yet."""


class SqliteClerk(_Desk):
    """One write lock, taken at once: whoever is inside reads the last word."""

    _cursor: Any = None

    def _apply(self, requests: Sequence[Request]) -> Results:
        if self._raw is None:
            self._raw = self._connect()
            self._cursor = self._raw.cursor()
        self._cursor.execute("BEGIN IMMEDIATE")
        assert self._books is not None
        results = apply(self._books, requests, strict=True)
        self._cursor.execute("COMMIT")
        return list(results)

    def _run(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        cursor = self._cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description is not None else [cursor.rowcount]


class PostgresClerk(_Desk):
    """One round trip when the accounts are remembered from the batch before; else lock, read, write.

    What is remembered is only ever a guess: `ledger_write` refuses it unless every account's revision is still the one
    remembered, and no key has been taken. Then, and whenever a request would be refused, the batch is done by the book.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._memory = Memory()
        self._cursor: Any = None
        self._write: Any = None

    def _apply(self, requests: Sequence[Request]) -> Results:
        if self._raw is None:
            self._raw = self._connect()
            self._raw.autocommit = True
            # All this connection does are look-ups by key: no plan made on a small table shall outlive its smallness.
            for choice in ("seqscan", "hashjoin", "mergejoin"):
                self._raw.execute("SET enable_" + choice + " = off")
            self._raw.execute("SET plan_cache_mode = force_generic_plan")
            self._cursor = self._raw.cursor()
            self._write = DirectWrite(self._engine.dialect.loaded_dbapi, self._raw.pgconn)
        results = self._guess(requests) if len(requests) <= PART else self._guess_in_parts(requests)
        return self._by_the_book(requests) if results is None else results

    def _guess(self, requests: Sequence[Request]) -> Results | None:
        """Apply to what is remembered, and write. None when that was not how things are, with nothing written."""
        sheet = self._memory.sheet(requests)
        if sheet is None:
            return None
        try:
            results: Results = [sheet.take(request) for request in requests]
            self._run(*guess_call(sheet))
        except Exception as failure:
            self._forget(failure, [sheet])
            return None
        self._memory.keep(sheet)
        return results

    def _guess_in_parts(self, requests: Sequence[Request]) -> Results | None:
        """The same for many: while the server writes one part, the next is worked out here. All in one transaction.

        By customer, so that accounts are locked in ascending order from part to part too.
        """
        order = sorted(range(len(requests)), key=lambda at: requests[at].customer_id)
        results: dict[int, Result] = {}
        sheets: list[Sheet] = []
        try:
            for start in range(0, len(order), PART):
                part = order[start : start + PART]
                sheet = self._memory.sheet([requests[at] for at in part])
                if sheet is None:
                    raise _NotRemembered
                sheets.append(sheet)
                results.update((at, sheet.take(requests[at])) for at in part)
                call = guess_call(sheet)
                if start == 0:
                    self._cursor.execute("BEGIN")
                self._write.finish()
                self._write.send(*call)
                self._memory.keep(sheet)
            self._write.finish()
            self._cursor.execute("COMMIT")
        except BaseException as failure:
            self._write.abandon()
            self._roll_back()
            self._forget(failure, sheets)
            return None
        return [results[at] for at in range(len(requests))]

    def _forget(self, failure: BaseException, sheets: Sequence[Sheet]) -> None:
        """Forget what was worked out in vain. Raises the failure, unless doing it by the book is all it takes."""
        for sheet in sheets:
            self._memory.forget(sheet)
        if isinstance(failure, Refusal | _NotRemembered):
            return
        if not isinstance(failure, Exception) or not _moved_meanwhile(failure):
            raise failure
        for sheet in sheets:
            self._memory.contended(sheet)

    def _by_the_book(self, requests: Sequence[Request]) -> Results:
        while True:
            self._cursor.execute("BEGIN")
            sheets: list[Sheet] = []
            try:
                assert self._books is not None
                results = apply(self._books, requests, strict=True, done=sheets.append)
                self._cursor.execute("COMMIT")
            except Exception as failure:
                self._roll_back()
                if not _moved_meanwhile(failure):
                    raise
                continue
            for sheet in sheets:
                self._memory.keep(sheet)
            return list(results)

    def _roll_back(self) -> None:
        if self._raw is not None:
            with contextlib.suppress(*self._errors):
                # Not by the cursor, which takes a rollback for the end of every prepared statement, ours too.
                self._raw.pgconn.exec_(b"ROLLBACK")

    def _run(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        if sql in self._write.statements:
            return [(self._write(sql, parameters),)]
        self._cursor.execute(sql, parameters, prepare=True)
        return self._cursor.fetchall() if self._cursor.description is not None else [self._cursor.rowcount]
