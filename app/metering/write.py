"""Writing what a batch counted: one statement for each table, whatever the number of rows.

PostgreSQL takes the columns as arrays, and all tables in one statement; SQLite takes the rows one after the other into
one prepared statement: the fastest way of each. The caller holds the customer's usage row, so what it read is still so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Table

from app.db import UTCDateTime
from app.direct import Call, Direct
from app.metering.deciding import Counted
from app.metering.models import UsageAccrual, UsageCounter, UsageEvent, UsageOverage, UsagePeriod
from app.metering.tallies import Tally

Row = tuple[Any, ...]

_TYPES = {"BIGINT": "bigint", "BOOLEAN": "boolean", "DATETIME": "timestamptz"}


_KNOWN_SQLITE = (
    "SELECT customer_id, id FROM usage_event WHERE customer_id = ? AND id IN (SELECT value FROM json_each(?))"
)
# One look into the index for each pair: with the plain join PostgreSQL may come to read a customer's every event.
_KNOWN_POSTGRESQL = """
SELECT given.customer_id, given.id FROM unnest(%s::text[], %s::text[]) AS given (customer_id, id)
CROSS JOIN LATERAL (
  SELECT 1 FROM usage_event e WHERE e.customer_id = given.customer_id AND e.id = given.id LIMIT 1
) AS there
"""


def looking(db: Direct, ids: Mapping[str, Sequence[str]]) -> list[Call]:
    """What asks which of these events each customer has already: pairs of customer and id."""
    if db.is_sqlite:
        return [(_KNOWN_SQLITE, (customer_id, json.dumps(mine))) for customer_id, mine in ids.items()]
    whose = [customer_id for customer_id, mine in ids.items() for _ in mine]
    return [(_KNOWN_POSTGRESQL, (whose, list(chain.from_iterable(ids.values()))))]


class Part(NamedTuple):
    """Rows of one table, with every column in its order. Where one is there, `add` to columns and `put` others."""

    model: type[Any]
    rows: list[Row]
    add: str = ""
    put: str = ""


def write(db: Direct, parts: Iterable[Part]) -> None:
    """Write them; those of one table, as of several customers, together."""
    merged: dict[type[Any], Part] = {}
    for part in parts:
        if part.model in merged:
            merged[part.model].rows.extend(part.rows)
        elif part.rows:
            merged[part.model] = part
    if db.is_sqlite:
        for model, part in merged.items():
            table = model.__table__
            db.run_many(_sqlite(table, part.add, part.put), _with_times_as_text(table, part.rows))
    elif merged:
        inserts = [_postgresql(part.model.__table__, part.add, part.put) for part in merged.values()]
        *first, last = inserts
        # Each round trip to a server costs more than the rows do.
        before = ", ".join(f"part{number} AS ({insert})" for number, insert in enumerate(first))
        columns = [list(column) for part in merged.values() for column in zip(*part.rows, strict=True)]
        db.together([(f"WITH {before} {last}" if before else last, columns)])


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
        columns[place] = [as_text(value) for value in columns[place]]
    return list(zip(*columns, strict=True))


@cache
def _times(table: Table) -> list[int]:
    return [place for place, column in enumerate(table.columns) if isinstance(column.type, UTCDateTime)]


@lru_cache(maxsize=4096)  # most rows of a batch share theirs
def as_text(value: datetime | None) -> str | None:
    """A time as SQLAlchemy stores it in SQLite."""
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
