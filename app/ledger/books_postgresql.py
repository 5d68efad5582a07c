"""The books on PostgreSQL: rows locked in ascending order, everything written by one call of `ledger_write`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from app.ledger.accounts import HOUSE, Account
from app.ledger.entries import Entry, Hold, Leg, encoded
from app.ledger.rules import State
from app.ledger.sheet import Key, Sheet

Run = Callable[[str, Sequence[Any]], list[Any]]

STATES = (
    "SELECT customer_id, kind, asset, balance, held, debt, promo, version, revision, tallies::text, moved_at "
    "FROM ledger_account "
    "WHERE (customer_id, kind, asset) IN (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])) "
    "ORDER BY customer_id, kind, asset FOR NO KEY UPDATE"
)
_STATES_UNLOCKED = STATES.removesuffix(" FOR NO KEY UPDATE")
OPEN = (
    "INSERT INTO ledger_account (customer_id, kind, asset) "
    "SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING"
)
_BY_KEY = "(customer_id, {}) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
ENTRIES = (
    "SELECT e.id, e.customer_id, e.kind, e.key, e.request_hash, e.occurred_at, e.recorded_at, e.data::text, "
    "e.reverses, "
    "l.account, l.asset, l.amount, l.promo_amount, l.seq, l.kind_seq, l.balance_after "
    "FROM ledger_entry e JOIN ledger_leg l ON l.customer_id = e.customer_id AND l.entry_id = e.id "
    "WHERE (e.customer_id, e.key) IN (SELECT * FROM unnest(%s::text[], %s::text[])) ORDER BY e.id, l.position"
)
_HOLD_COLUMNS = (
    "customer_id, id, account, asset, amount, state, key, request_hash, created_at, expires_at, data::text, ended_at, "
    "settled_amount, settled_entry"
)
_HOLDS = f"SELECT {_HOLD_COLUMNS} FROM ledger_hold WHERE {_BY_KEY}"
_REVERSALS = f"SELECT customer_id, reverses, id FROM ledger_entry WHERE {_BY_KEY.format('reverses')}"
# The types of `ledger_write`'s columns, of accounts, of entries and of legs.
_ACCOUNT_TYPES = ("text",) * 3 + ("bigint",) * 6 + ("text", "timestamptz")
_ENTRY_TYPES = ("text",) * 5 + ("timestamptz",) * 2 + ("text", "text", "smallint")
_LEG_TYPES = ("text", "smallint", "text", "text") + ("bigint",) * 5
_SMALL = 8  # up to so many rows the values go one by one: cheaper than making arrays of them here


class PostgresBooks:
    """See `app.ledger.books.Books`."""

    locks_rows = True

    def __init__(self, run: Run) -> None:
        self._run = run

    def states(self, accounts: Iterable[Account], *, lock: bool = True) -> list[State]:
        wanted = _columns(accounts, 3)
        if not wanted[0]:
            return []
        return [_state(row) for row in self._run(STATES if lock else _STATES_UNLOCKED, wanted)]

    def open(self, accounts: Iterable[Account]) -> None:
        self._run(OPEN, _columns(sorted(accounts), 3))

    def entries_by_key(self, keys: Iterable[Key]) -> list[Entry]:
        rows = self._run(ENTRIES, _columns(keys, 2))
        return [_entry(known, [row[9:] for row in group]) for known, group in groupby(rows, key=lambda row: row[:9])]

    def holds_by_key(self, keys: Iterable[Key]) -> list[Hold]:
        return [_hold(row) for row in self._run(_HOLDS.format("key"), _columns(keys, 2))]

    def holds_by_id(self, keys: Iterable[Key]) -> list[Hold]:
        return [_hold(row) for row in self._run(_HOLDS.format("id"), _columns(keys, 2))]

    def reversals(self, keys: Iterable[Key]) -> list[tuple[Key, str]]:
        return [((row[0], row[1]), row[2]) for row in self._run(_REVERSALS, _columns(keys, 2))]

    def write(self, sheet: Sheet, *, strict: bool) -> bool:
        sql, arguments = write_call(sheet, strict=strict)
        [(done,)] = self._run(sql, arguments)
        return bool(done)


def write_call(sheet: Sheet, *, strict: bool) -> tuple[str, list[Any]]:
    """The call of `ledger_write` for a sheet, and its arguments: columns of accounts, of entries and of legs."""
    accounts = [
        (*s.account, s.balance, s.held, s.debt, s.promo, s.version, s.revision, encoded(s.tallies), s.moved_at)
        for s in sheet.dirty()
    ]
    entries = [
        (e.customer_id, e.id, e.kind, e.key, e.request_hash, e.occurred_at, e.recorded_at, encoded(e.data), e.reverses,
         len(e.legs))
        for e in sheet.new_entries
    ]  # fmt: skip
    legs = [
        (e.id, position, leg[0][1], leg[0][2], *leg[1:])
        for e in sheet.new_entries
        for position, leg in enumerate(e.legs)
    ]
    holds = [_holds_json(list(sheet.new_holds.values())), _holds_json(sheet.changed_holds)]
    if len(accounts) + len(legs) <= _SMALL:
        values = [value for rows in (accounts, entries, legs) for column in zip(*rows, strict=True) for value in column]
        return _call_by_value(len(accounts), len(entries), len(legs)), [strict, *values, *holds]
    columns = [*_columns(accounts, 11), *_columns(entries, 10), *_columns(legs, 9)]
    return _CALL_BY_ARRAY, [strict, *map(_joined, columns), *holds]


# Each array travels as one text, cut apart by the server: a driver that writes arrays quotes every element by itself,
# which took a fifth of the time of a large batch. The separators cannot be part of a value: keys are printable, and
# JSON escapes control characters.
_BETWEEN, _NULL = "\x1f", "\x1e"


def _joined(column: list[Any]) -> str:
    """One array as text. Asserts that no value could be taken for two, or for no array at all."""
    joined = _BETWEEN.join([_NULL if value is None else str(value) for value in column])
    assert joined.count(_BETWEEN) == max(0, len(column) - 1), "a value holds a separator"
    assert bool(joined) == bool(column), "a single empty text would be no array at all"
    return joined


@lru_cache
def _call_by_value(accounts: int, entries: int, legs: int) -> str:
    """The call for so many rows of each, every value a parameter of its own."""
    shapes = ((_ACCOUNT_TYPES, accounts), (_ENTRY_TYPES, entries), (_LEG_TYPES, legs))
    arrays = [f"ARRAY[{', '.join([f'%s::{kind}'] * rows)}]::{kind}[]" for kinds, rows in shapes for kind in kinds]
    return f"SELECT ledger_write(%s, {', '.join(arrays)}, %s::json, %s::json)"


_CALL_BY_ARRAY = (
    "SELECT ledger_write(%s, "
    + ", ".join(
        f"string_to_array(%s, chr(31), chr(30))::{kind}[]" for kind in _ACCOUNT_TYPES + _ENTRY_TYPES + _LEG_TYPES
    )
    + ", %s::json, %s::json)"
)


def _holds_json(holds: list[Hold]) -> str | None:
    return json.dumps([_hold_record(hold) for hold in holds]) if holds else None


def _columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows turned into columns, each of which becomes one array."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)


def _state(row: Sequence[Any]) -> State:
    customer_id, kind, asset, balance, held, debt, promo, version, revision, tallies, moved_at = row
    account, kept = Account(customer_id, kind, asset), json.loads(tallies)
    return State(account, balance, held, debt, promo, version, revision, kept, _utc(moved_at))


def _entry(known: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Entry:
    id_, customer_id, kind, key, hash_, occurred, recorded, data, reverses = known
    legs = tuple(Leg(Account(HOUSE if row[4] is None else customer_id, row[0], row[1]), *row[2:]) for row in rows)
    times = occurred.astimezone(UTC), recorded.astimezone(UTC)
    return Entry(id_, customer_id, kind, key, hash_, *times, json.loads(data), legs, reverses)


def _hold(row: Sequence[Any]) -> Hold:
    customer, id_, account, asset, amount, state, key, hash_, created, expires, data, ended, settled, entry = row
    return Hold(
        id_, Account(customer, account, asset), amount, state, key, hash_, created.astimezone(UTC),
        expires.astimezone(UTC), json.loads(data), _utc(ended), settled, entry,
    )  # fmt: skip


def _hold_record(hold: Hold) -> dict[str, Any]:
    """A hold as `json_populate_recordset` reads it into a row of the table."""
    return {
        "customer_id": hold.customer_id,
        "id": hold.id,
        "account": hold.account.kind,
        "asset": hold.account.asset,
        "amount": hold.amount,
        "state": hold.state,
        "key": hold.key,
        "request_hash": hold.request_hash,
        "created_at": hold.created_at.isoformat(),
        "expires_at": hold.expires_at.isoformat(),
        "data": hold.data,
        "ended_at": hold.ended_at.isoformat() if hold.ended_at else None,
        "settled_amount": hold.settled_amount,
        "settled_entry": hold.settled_entry,
    }
