"""The clerk of PostgreSQL: a guess from memory in one round trip, and by the book whenever the guess was wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine

from app import direct
from app.errors import Refusal
from app.ledger.books import apply
from app.ledger.books_postgresql import PostgresBooks, guess_call
from app.ledger.clerk import Desk, Results
from app.ledger.direct_write import DirectWrite
from app.ledger.requests import Request
from app.ledger.sheet import Result, Sheet

PART = 250  # requests of a large batch that are written at once
_KEYS = ("uq_ledger_entry_customer_id_key", "uq_ledger_entry_reverses")


def _moved_meanwhile(failure: Exception) -> bool:
    """Whether a write was refused because another transaction was faster: what was computed is to be computed anew."""
    if getattr(failure, "sqlstate", None) == "23505":  # unique_violation
        return getattr(failure, "diag").constraint_name in _KEYS  # noqa: B009 - only the driver's errors have it
    return getattr(failure, "sqlstate", None) in ("PU001", "40P01", "40001")


class _NotRemembered(Exception):
    """A part of a batch needs what this process has not seen yet."""


class PostgresClerk(Desk):
    """One round trip when the accounts are remembered from the batch before; else lock, read, write.

    What is remembered is only ever a guess: `ledger_write` refuses it unless every account's revision is still the one
    remembered, and no key has been taken. Then, and whenever a request would be refused, the batch is done by the book.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._write: Any = None

    def _apply(self, requests: Sequence[Request]) -> Results:
        if self._raw is None:
            self._raw = self._connect()
            self._raw.autocommit = True
            for setting in direct.BY_KEYS:
                self._raw.execute(setting)
            self._cursor = self._raw.cursor()
            self._books = PostgresBooks(self._run)
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
