"""The clerk of SQLite: one write lock, taken at once, so that whoever is inside reads the last word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine

from app.errors import Refusal
from app.ledger.books import apply
from app.ledger.books_sqlite import SqliteBooks
from app.ledger.clerk import Desk, Results
from app.ledger.requests import Request
from app.ledger.sheet import Sheet


class _OutOfDate(Exception):
    """An account is not as it was remembered: another process writes it too."""


class SqliteClerk(Desk):
    """Nothing is read when the accounts are remembered from the batch before; else by the book, under the write lock.

    As on PostgreSQL, what is remembered is a guess, which every account's revision and every key must bear out.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._refused = (_OutOfDate, engine.dialect.loaded_dbapi.IntegrityError)

    def _apply(self, requests: Sequence[Request]) -> Results:
        if self._raw is None:
            self._raw = self._connect()
            self._cursor = self._raw.cursor()
            self._books = SqliteBooks(self._run, self._run_many)
        results = self._guess(requests)
        return self._by_the_book(requests) if results is None else results

    def _guess(self, requests: Sequence[Request]) -> Results | None:
        """Apply to what is remembered, and write. None when that was not how things are, with nothing written."""
        sheet = self._memory.sheet(requests)
        if sheet is None:
            return None
        try:
            results: Results = [sheet.take(request) for request in requests]
            self._cursor.execute("BEGIN IMMEDIATE")
            if not self._books.write_guess(sheet):
                raise _OutOfDate
            self._cursor.execute("COMMIT")
        except BaseException as failure:
            self._memory.forget(sheet)
            self._roll_back()
            if not isinstance(failure, (Refusal, *self._refused)):
                raise
            if isinstance(failure, self._refused):
                self._memory.contended(sheet)
            return None
        self._memory.keep(sheet)
        return results

    def _by_the_book(self, requests: Sequence[Request]) -> Results:
        sheets: list[Sheet] = []
        self._cursor.execute("BEGIN IMMEDIATE")
        results = apply(self._books, requests, strict=True, done=sheets.append)
        self._cursor.execute("COMMIT")
        for sheet in sheets:
            self._memory.keep(sheet)
        return list(results)

    def _run(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        cursor = self._cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description is not None else [cursor.rowcount]

    def _run_many(self, sql: str, rows: list[tuple[Any, ...]]) -> int:
        cursor = self._cursor.execute(sql, rows[0]) if len(rows) == 1 else self._cursor.executemany(sql, rows)
        return int(cursor.rowcount)
