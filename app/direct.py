"""Statements handed to the driver itself, in a session's transaction: for what must be done thousands of times.

SQLAlchemy takes ten times as long over a statement as the driver does, and PostgreSQL's driver ten times as long as the
library below it, which several can be given at once: they are one round trip then. Values and placeholders are those of
the database: `?` and text for times on SQLite, `%s` on PostgreSQL. Errors are SQLAlchemy's.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

Call = tuple[str, Sequence[Any]]  # a statement and its values
Rows = list[tuple[Any, ...]]

# In a connection's `info`: its owner closes it rather than rolling back, so statements prepared here stay prepared.
PREPARED = "direct_prepared"

# For a connection of PostgreSQL's all of whose work is look-ups by key: no plan made on a small table shall outlive its
# smallness. A table that can only be read whole seems so dear then that its plan would be compiled, for a tenth of a
# second.
BY_KEYS = (
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET jit = off",
    "SET plan_cache_mode = force_generic_plan",
)

_IDLE, _PIPELINE_SYNC, _ABORTED = 0, 10, 11  # libpq's numbers, which never change
_DONE = (1, 2)
_BAD = 1


class Direct(Protocol):
    """One database's way."""

    is_sqlite: bool

    def together(self, calls: Sequence[Call]) -> list[Rows]:
        """What each of these statements finds, in order."""

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement for each of these rows: SQLite's fastest way. PostgreSQL takes arrays."""


def of(session: Session) -> Direct:
    """On the session's own connection. What it has pending is flushed first."""
    session.flush()
    connection = session.connection()
    raw, dbapi = connection.connection.dbapi_connection, connection.dialect.loaded_dbapi
    assert raw is not None
    if connection.dialect.name == "sqlite":
        return _Sqlite(raw.cursor(), dbapi)
    return _Postgresql(raw, dbapi, connection.info.get(PREPARED))


class _Sqlite:
    is_sqlite = True

    def __init__(self, cursor: Any, dbapi: Any) -> None:
        self._cursor, self._dbapi = cursor, dbapi

    def together(self, calls: Sequence[Call]) -> list[Rows]:
        try:
            return [self._cursor.execute(sql, values).fetchall() for sql, values in calls]
        except self._dbapi.Error as fault:
            raise _known(fault, self._dbapi) from fault

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        try:
            if len(rows) == 1:
                self._cursor.execute(sql, rows[0])
            else:
                self._cursor.executemany(sql, rows)
        except self._dbapi.Error as fault:
            raise _known(fault, self._dbapi) from fault


class _Postgresql:
    is_sqlite = False

    def __init__(self, raw: Any, dbapi: Any, prepared: dict[str, bytes] | None) -> None:
        self._raw, self._dbapi, self._prepared = raw, dbapi, prepared
        self._pq: PGconn = raw.pgconn

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self.together([(sql, row) for row in rows])

    def together(self, calls: Sequence[Call]) -> list[Rows]:
        try:
            return self._together(calls)
        except self._dbapi.Error as fault:
            raise _known(fault, self._dbapi) from fault

    def _together(self, calls: Sequence[Call]) -> list[Rows]:
        names = [self._name(sql) for sql, _ in calls]
        begins = self._pq.transaction_status == _IDLE
        self._pq.enter_pipeline_mode()
        if begins:
            self._pq.send_query_params(b"BEGIN", None)
        for (sql, values), name in zip(calls, names, strict=True):
            given = [wired(value) for value in values]
            if name is None:
                self._pq.send_query_params(numbered(sql), given)
            else:
                self._pq.send_query_prepared(name, given)
        self._pq.pipeline_sync()
        results = self._results(len(calls) + begins)
        self._pq.exit_pipeline_mode()
        for result in results:
            if result.status not in (*_DONE, _ABORTED):
                raise self._dbapi.errors.error_from_result(result)
        return [self._rows(result) for result in results[begins:]]

    def _name(self, sql: str) -> bytes | None:
        """What this statement is called, prepared on this connection. None: it is planned anew each time."""
        if self._prepared is None:
            return None
        name = self._prepared.get(sql)
        if name is None:
            name = b"direct_%d" % len(self._prepared)
            result = self._pq.prepare(name, numbered(sql))
            if result.status not in _DONE:
                raise self._dbapi.errors.error_from_result(result)
            self._prepared[sql] = name
        return name

    def _results(self, number: int) -> list[PGresult]:
        """One for each statement. Reads while it writes: what is sent may be more than fits in between."""
        found: list[PGresult] = []
        unsent = True
        while True:
            unsent = unsent and bool(self._pq.flush())
            while self._pq.is_busy():
                wait(self._pq, writes=unsent)
                self._pq.consume_input()
                unsent = unsent and bool(self._pq.flush())
            result = self._pq.get_result()
            if result is None:
                if self._pq.status == _BAD:
                    raise self._lost()
                continue  # between the results of two statements
            if result.status == _PIPELINE_SYNC:
                assert len(found) == number, "each statement has one result"
                return found
            found.append(result)
            if self._pq.status == _BAD:
                raise self._lost()

    def _lost(self) -> Exception:
        words = self._pq.error_message.decode(errors="replace") or "the connection is lost"
        error: Exception = self._dbapi.OperationalError(words)
        return error

    def _rows(self, result: PGresult) -> Rows:
        if not result.ntuples:
            return []
        reader = self._dbapi.adapt.Transformer(self._raw)
        reader.set_pgresult(result)
        return list(reader.load_rows(0, result.ntuples, tuple))


def wait(connection: PGconn, *, writes: bool = False) -> None:
    """Until PostgreSQL says something, or also takes more. Never inside libpq's `get_result`: the driver keeps every
    other thread waiting there, even the one whose lock the server waits for."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connection.socket, select.POLLIN | (select.POLLOUT if writes else 0))
        poll.poll()
    else:
        select.select([connection.socket], [connection.socket] if writes else [], [])


def numbered(sql: str) -> bytes:
    """The statement with libpq's places, `$1`, in place of `%s`."""
    for number in range(1, sql.count("%s") + 1):
        sql = sql.replace("%s", f"${number}", 1)
    return sql.encode()


def wired(value: Any) -> bytes | None:
    """A value as text for PostgreSQL: a list is an array."""
    if value is None:
        return None
    text = _array(value) if isinstance(value, list) else _plain(value)
    assert "\0" not in text, "a text with a zero in it would be cut there"
    return text.encode()


def _array(values: list[Any]) -> str:
    kinds = set(map(type, values))
    if kinds == {int}:
        return "{" + ",".join(map(str, values)) + "}"
    if kinds in ({str}, {datetime}):
        inner = '","'.join(map(str, values))
        if "\\" not in inner and inner.count('"') == 2 * (len(values) - 1):  # nothing to be escaped
            return '{"' + inner + '"}'
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    text = _plain(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _known(fault: Exception, dbapi: Any) -> BaseException:
    return DBAPIError.instance("", None, fault, dbapi.Error, hide_parameters=True)
