"""Writing what a batch counted: one statement for each table, whatever the number of rows.

PostgreSQL takes the columns as arrays, and all tables in one statement; SQLite takes the rows one after the other into
one prepared statement: the fastest way of each. The caller holds the customer's usage row, so what it read is still so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Table
from sqlalchemy.orm import Session

from app.db import UTCDateTime
from app.metering.deciding import Counted
from app.metering.models import UsageAccrual, UsageCounter, UsageEvent, UsageOverage, UsagePeriod
from app.metering.tallies import Tally

Row = tuple[Any, ...]

_TYPES = {"BIGINT": "bigint", "BOOLEAN": "boolean", "DATETIME": "timestamptz"}


def known_ids(session: Session, customer_id: str, ids: Sequence[str]) -> set[str]:
    """Which of these events this customer has already."""
    if session.get_bind().dialect.name == "sqlite":
        sql = "SELECT id FROM usage_event WHERE customer_id = ? AND id IN (SELECT value FROM json_each(?))"
        given: Row = (customer_id, json.dumps(list(ids)))
    else:
        sql = "SELECT id FROM usage_event WHERE customer_id = %s AND id = ANY(%s)"
        given = (customer_id, list(ids))
    return set(session.connection().exec_driver_sql(sql, given).scalars())


class Part(NamedTuple):
    """Rows of one table, with every column in its order. Where one is there, `add` to columns and `put` others."""

    model: type[Any]
    rows: list[Row]
    add: str = ""
    put: str = ""


def write(session: Session, parts: Iterable[Part]) -> None:
    parts, connection = [part for part in parts if part.rows], session.connection()
    if connection.dialect.name == "sqlite":
        for part in parts:
            table = part.model.__table__
            connection.exec_driver_sql(_sqlite(table, part.add, part.put), _with_times_as_text(table, part.rows))
    elif parts:
        inserts = [_postgresql(part.model.__table__, part.add, part.put) for part in parts]
        *first, last = inserts
        # Each round trip to a server costs more than the rows do.
        before = ", ".join(f"part{number} AS ({insert})" for number, insert in enumerate(first))
        columns = [list(column) for part in parts for column in zip(*part.rows, strict=True)]
        connection.exec_driver_sql(f"WITH {before} {last}" if before else last, tuple(columns))


def events(customer_id: str, counted: Sequence[Counted], now: datetime) -> Part:
    """The events themselves. One that is there already is a fault: the usage row's lock was not held."""
    rows = [
        (
            customer_id, one.event.id, one.event.meter, one.event.quantity, one.event.source, one.occurred_at, now,
            one.tally.start, one.day, one.late, one.over, one.over_micros,
        )
        for one in counted
    ]  # fmt: skip
    return Part(UsageEvent, rows)


def counters(customer_id: str, counted: Iterable[Counted]) -> Part:
    sums: dict[Row, list[int]] = {}
    for one in counted:
        key = (customer_id, one.event.meter, one.tally.start, one.day, one.event.source)
        kept = sums.setdefault(key, [0, 0, 0])
        kept[0] += one.event.quantity
        kept[1] += one.over
        kept[2] += one.over_micros
    return Part(UsageCounter, [(*key, *kept) for key, kept in sums.items()], add="quantity over over_micros")


def periods(customer_id: str, touched: Iterable[Tally]) -> Part:
    rows = [
        (
            customer_id, one.meter, one.start, one.end, one.used - one.had_used, one.over - one.had_over,
            one.over_micros - one.had_over_micros, one.terms.allowance, one.terms.mode, one.terms.unit_micros, None,
        )
        for one in touched
    ]  # fmt: skip
    return Part(UsagePeriod, rows, add="used over over_micros", put="period_end allowance mode unit_micros")


def overage(customer_id: str, counted: Iterable[Counted], currency: str) -> Part:
    """The units beyond the allowance by mode and price; the units that cost nothing too."""
    sums: dict[Row, list[int]] = {}
    for one in counted:
        if one.over:
            terms = one.tally.terms
            key = (customer_id, one.event.meter, one.tally.start, terms.mode, terms.unit_micros, currency)
            kept = sums.setdefault(key, [0, 0])
            kept[0] += one.over
            kept[1] += one.over_micros
    return Part(UsageOverage, [(*key, *kept) for key, kept in sums.items()], add="units micros")


def accruals(rows: Sequence[Row]) -> Part:
    """(customer_id, meter, day, units, micros, currency, hold_id) of what is held for a day."""
    return Part(UsageAccrual, [(*row, None, None) for row in rows], add="units micros")


@cache
def _sqlite(table: Table, add: str, put: str) -> str:
    return f"{_into(table)} VALUES ({', '.join('?' for _ in table.columns)}){_on_conflict(table, add, put)}"


@cache
def _postgresql(table: Table, add: str, put: str) -> str:
    arrays = ", ".join(f"%s::{_TYPES.get(str(column.type), 'text')}[]" for column in table.columns)
    return f"{_into(table)} SELECT * FROM unnest({arrays}){_on_conflict(table, add, put)}"  # noqa: S608 - names of ours


def _into(table: Table) -> str:
    return f"INSERT INTO {table.name} ({', '.join(column.name for column in table.columns)})"


def _on_conflict(table: Table, add: str, put: str) -> str:
    if not (add or put):
        return ""
    key = ", ".join(column.name for column in table.primary_key)
    sets = [f"{name} = {table.name}.{name} + excluded.{name}" for name in add.split()]
    sets += [f"{name} = excluded.{name}" for name in put.split()]
    return f" ON CONFLICT ({key}) DO UPDATE SET {', '.join(sets)}"


def _with_times_as_text(table: Table, rows: list[Row]) -> list[Row]:
    """The rows for SQLite, which has no type for times."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place in _times(table):
        columns[place] = [_text(value) for value in columns[place]]
    return list(zip(*columns, strict=True))


@cache
def _times(table: Table) -> list[int]:
    return [place for place, column in enumerate(table.columns) if isinstance(column.type, UTCDateTime)]


@lru_cache(maxsize=4096)  # most rows of a batch share theirs
def _text(value: datetime | None) -> str | None:
    """A time as SQLAlchemy stores it in SQLite."""
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
