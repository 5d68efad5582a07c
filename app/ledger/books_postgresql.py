"""The books on PostgreSQL: arrays in, one call out. Rows are locked in ascending order, and `ledger_write` does the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from app.ledger.accounts import HOUSE, Account
from app.ledger.entries import Entry, Hold, Leg, encoded
from app.ledger.rules import State
from app.ledger.sheet import Key, Sheet

Run = Callable[[str, Sequence[Any]], list[Any]]

STATES = (
    "SELECT customer_id, kind, asset, balance, held, debt, promo, version, revision, tallies::text, moved_at "
    "FROM ledger_account WHERE (customer_id, kind, asset) IN (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])) "
    "ORDER BY customer_id, kind, asset FOR NO KEY UPDATE"
)
OPEN = (
    "INSERT INTO ledger_account (customer_id, kind, asset) "
    "SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING"
)
_BY_KEY = "(customer_id, {}) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
ENTRIES = (
    "SELECT e.id, e.customer_id, e.kind, e.key, e.request_hash, e.occurred_at, e.recorded_at, e.data::text, e.reverses, "
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
_INSERT_HOLDS = (
    "INSERT INTO ledger_hold (customer_id, id, account, asset, amount, state, key, request_hash, created_at, expires_at, "
    "data, ended_at, settled_amount, settled_entry) SELECT a, b, c, d, e, f, g, h, i, j, k::json, l, m, n FROM unnest("
    "%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], "
    "%s::timestamptz[], %s::text[], %s::timestamptz[], %s::bigint[], %s::text[]) AS u(a, b, c, d, e, f, g, h, i, j, k, l, m, n) "
    "ON CONFLICT DO NOTHING"
)
_END_HOLDS = (
    "UPDATE ledger_hold h SET state = u.state, ended_at = u.ended, settled_amount = u.amount, settled_entry = u.entry "
    "FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[], %s::text[]) "
    "AS u(customer_id, id, state, ended, amount, entry) "
    "WHERE h.customer_id = u.customer_id AND h.id = u.id AND h.state = 'held'"
)
_ARRAYS = (
    "text text text bigint bigint bigint bigint bigint bigint text timestamptz "
    "text text text text text timestamptz timestamptz text text smallint "
    "text smallint text text bigint bigint bigint bigint bigint"
).split()
WRITE = f"SELECT ledger_write(%s, {', '.join(f'%s::{kind}[]' for kind in _ARRAYS)})"


class Stale(Exception):
    """Another transaction wrote what this batch had read or claimed; the batch is undone and tried again."""


class PostgresBooks:
    """See `app.ledger.books.Books`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def states(self, accounts: Iterable[Account]) -> list[State]:
        wanted = _columns(accounts, 3)
        if not wanted[0]:
            return []
        return [
            State(Account(*row[:3]), *row[3:9], json.loads(row[9]), _utc(row[10])) for row in self._run(STATES, wanted)
        ]

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
        """In a caller's transaction holds come first, as their key may turn out to be taken and nothing may be half done.

        A strict batch locks its accounts first, so that nobody waits for a key while holding what another waits for.
        """
        if not strict and not self._insert_holds(sheet):
            return False
        [(done,)] = self._run(WRITE, write_arguments(sheet, strict=strict))
        if not done:
            return False
        if strict and not self._insert_holds(sheet):
            raise Stale("a hold's key was written meanwhile")
        self._end_holds(sheet)
        return True

    def _insert_holds(self, sheet: Sheet) -> bool:
        if not sheet.new_holds:
            return True
        rows = [_hold_row(hold) for hold in sheet.new_holds.values()]
        [done] = self._run(_INSERT_HOLDS, _columns(rows, 14))
        return bool(done == len(rows))

    def _end_holds(self, sheet: Sheet) -> None:
        if not sheet.ended_holds:
            return
        ended = [
            (h.customer_id, h.id, h.state, h.ended_at, h.settled_amount, h.settled_entry) for h in sheet.ended_holds
        ]
        [changed] = self._run(_END_HOLDS, _columns(ended, 6))
        if changed != len(ended):
            raise Stale("a hold ended meanwhile")


def write_arguments(sheet: Sheet, *, strict: bool) -> list[Any]:
    """The arguments of `ledger_write`: columns of accounts, of entries, of legs."""
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
        (
            e.id,
            n,
            leg.account.kind,
            leg.account.asset,
            leg.amount,
            leg.promo_amount,
            leg.seq,
            leg.kind_seq,
            leg.balance_after,
        )
        for e in sheet.new_entries
        for n, leg in enumerate(e.legs)
    ]
    return [strict, *_columns(accounts, 11), *_columns(entries, 10), *_columns(legs, 9)]


def _columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows turned into columns, each of which becomes one array."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)


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


def _hold_row(hold: Hold) -> tuple[Any, ...]:
    return (
        hold.customer_id, hold.id, hold.account.kind, hold.account.asset, hold.amount, hold.state, hold.key,
        hold.request_hash, hold.created_at, hold.expires_at, encoded(hold.data), hold.ended_at,
        hold.settled_amount, hold.settled_entry,
    )  # fmt: skip
