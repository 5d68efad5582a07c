"""Writing on a PostgreSQL connection without the driver's cursor, which costs more than the write does.

A cursor looks at each parameter's type, keeps lists of what is prepared, and waits by polling: 90 of the 110
microseconds that an empty statement with a debit's values takes. These statements have text parameters only, and are
prepared once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app import direct
from app.ledger.books_postgresql import TAKE_PAIR, TAKE_PAIRS, WRITE

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

COMMAND_OK, TUPLES_OK, CONNECTION_BAD = 1, 2, 1  # libpq's numbers, which never change


class DirectWrite:
    """The write calls of one connection, which must be used by one thread at a time."""

    statements = (TAKE_PAIR, TAKE_PAIRS, WRITE)

    def __init__(self, driver: Any, connection: PGconn) -> None:
        self._driver = driver
        self._connection = connection
        self._prepared: dict[str, bytes] = {}
        self._sent = False

    def __call__(self, sql: str, parameters: Sequence[str | None]) -> bool:
        """What the function answered; True for what went through a door. Raises the driver's errors."""
        name, values = self._call(sql, parameters)
        return self._answer(self._connection.exec_prepared(name, values))

    def send(self, sql: str, parameters: Sequence[str | None]) -> None:
        """Start a call, to be waited for by `finish`: meanwhile the server works and so can we."""
        name, values = self._call(sql, parameters)
        self._connection.send_query_prepared(name, values)
        self._sent = True
        while self._connection.flush():
            direct.wait(self._connection, writes=True)
            self._connection.consume_input()

    def finish(self) -> None:
        """Wait for the call that was sent, if one was. Raises the driver's errors."""
        if not self._sent:
            return
        self._sent = False
        result, after = self._next(), self._next()
        assert result is not None
        assert after is None, "one call has one answer"
        self._answer(result)

    def _next(self) -> PGresult | None:
        while self._connection.is_busy():
            direct.wait(self._connection)
            self._connection.consume_input()
        return self._connection.get_result()

    def abandon(self) -> None:
        """Wait for the call that was sent, whatever it answers."""
        with contextlib.suppress(self._driver.Error):
            self.finish()

    def _call(self, sql: str, parameters: Sequence[str | None]) -> tuple[bytes, list[Any]]:
        return self._prepared.get(sql) or self._prepare(sql), [direct.wired(value) for value in parameters]

    def _prepare(self, sql: str) -> bytes:
        name = b"ledger_%d" % len(self._prepared)
        result = self._connection.prepare(name, direct.numbered(sql))
        if result.status != COMMAND_OK:
            self._raise(result)
        self._prepared[sql] = name
        return name

    def _answer(self, result: PGresult) -> bool:
        if result.status == COMMAND_OK:
            return True
        if result.status != TUPLES_OK:
            self._raise(result)
        return result.get_value(0, 0) == b"t"

    def _raise(self, result: PGresult) -> None:
        if self._connection.status == CONNECTION_BAD:
            raise self._driver.OperationalError(self._connection.error_message.decode(errors="replace"))
        raise self._driver.errors.error_from_result(result)
