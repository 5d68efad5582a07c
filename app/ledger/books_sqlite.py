"""The books on SQLite: one writer at a time, so whoever is inside reads the last word; plain prepared statements."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from app.ledger.accounts import HOUSE, Account
from app.ledger.entries import Entry, Hold, Leg, encoded, is_pair, tallied
from app.ledger.rules import State
from app.ledger.sheet import Key, Sheet

Run = Callable[[str, Sequence[Any]], list[Any]]
Many = Callable[[str, list[tuple[Any, ...]]], int]

_STATE = (
    "SELECT balance, held, debt, promo, version, revision, tallies, moved_at, frozen FROM ledger_account "
    "WHERE customer_id = ? AND kind = ? AND asset = ?"
)
_OPEN = "INSERT INTO ledger_account (customer_id, kind, asset) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_UPDATE = (
    "UPDATE ledger_account SET balance = ?, held = ?, debt = ?, promo = ?, version = ?, revision = revision + 1, "
    "tallies = ?, moved_at = ? WHERE customer_id = ? AND kind = ? AND asset = ? AND revision = ?"
)
_ENTRY = (
    "SELECT id, kind, request_hash, occurred_at, recorded_at, data, reverses FROM ledger_entry "
    "WHERE customer_id = ? AND key = ?"
)
_LEGS = (
    "SELECT account, asset, amount, promo_amount, seq, kind_seq, balance_after FROM ledger_leg "
    "WHERE customer_id = ? AND entry_id = ? ORDER BY position"
)
_INSERT_ENTRY = (
    "INSERT INTO ledger_entry (customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, reverses, "
    "legs) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_LEG = (
    "INSERT INTO ledger_leg (customer_id, entry_id, position, account, asset, kind, amount, promo_amount, seq, "
    "kind_seq, balance_after, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# Both legs of a pair by one statement: `?9` is which of them is the customer's.
_INSERT_PAIR = (
    "INSERT INTO ledger_leg (customer_id, entry_id, position, account, asset, kind, amount, promo_amount, seq, "
    "kind_seq, balance_after, recorded_at) VALUES (?1, ?2, ?9, ?3, ?4, ?5, ?6, ?7, ?10, ?11, ?12, ?13), "
    "(?1, ?2, 1 - ?9, ?8, ?4, ?5, -?6, 0, NULL, NULL, NULL, ?13)"
)
_HOLD_COLUMNS = (
    "customer_id, id, account, asset, amount, state, key, request_hash, created_at, expires_at, data, ended_at, "
    "settled_amount, settled_entry"
)
_HOLD_BY_KEY = f"SELECT {_HOLD_COLUMNS} FROM ledger_hold WHERE customer_id = ? AND key = ?"
_HOLD_BY_ID = f"SELECT {_HOLD_COLUMNS} FROM ledger_hold WHERE customer_id = ? AND id = ?"
_INSERT_HOLD = f"INSERT INTO ledger_hold ({_HOLD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_CHANGE_HOLD = (
    "UPDATE ledger_hold SET amount = ?, state = ?, ended_at = ?, settled_amount = ?, settled_entry = ? "
    "WHERE customer_id = ? AND id = ? AND state = 'held'"
)
_REVERSAL = "SELECT id FROM ledger_entry WHERE customer_id = ? AND reverses = ?"


def stamp(instant: datetime | None) -> str | None:
    """An instant as SQLAlchemy writes it on SQLite, so that Core's reads and ours agree."""
    return None if instant is None else _stamped(instant)


def _stamped(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class SqliteBooks:
    """See `app.ledger.books.Books`."""

    locks_rows = False

    def __init__(self, run: Run, many: Many | None = None) -> None:
        """`many` runs a statement for each of several rows, and says how many it changed."""
        self._run = run
        self._many = many or self._one_by_one

    def _one_by_one(self, sql: str, rows: list[tuple[Any, ...]]) -> int:
        return sum(self._run(sql, row)[0] for row in rows)

    def states(self, accounts: Iterable[Account], *, lock: bool = True) -> list[State]:  # noqa: ARG002 - always locked
        found = []
        for account in accounts:
            for balance, held, debt, promo, version, revision, tallies, moved, frozen in self._run(_STATE, account):
                at = instant(moved) if moved else None
                kept = json.loads(tallies)
                found.append(State(account, balance, held, debt, promo, version, revision, kept, at, bool(frozen)))
        return found

    def open(self, accounts: Iterable[Account]) -> None:
        for account in accounts:
            self._run(_OPEN, account)

    def entries_by_key(self, keys: Iterable[Key]) -> list[Entry]:
        found = []
        for customer_id, key in keys:
            for id_, kind, hash_, occurred, recorded, data, reverses in self._run(_ENTRY, (customer_id, key)):
                legs = tuple(
                    Leg(Account(HOUSE if seq is None else customer_id, account, asset), amount, promo, seq, nth, after)
                    for account, asset, amount, promo, seq, nth, after in self._run(_LEGS, (customer_id, id_))
                )
                times = instant(occurred), instant(recorded)
                found.append(Entry(id_, customer_id, kind, key, hash_, *times, json.loads(data), legs, reverses))
        return found

    def holds_by_key(self, keys: Iterable[Key]) -> list[Hold]:
        return [_hold(row) for key in keys for row in self._run(_HOLD_BY_KEY, key)]

    def holds_by_id(self, keys: Iterable[Key]) -> list[Hold]:
        return [_hold(row) for key in keys for row in self._run(_HOLD_BY_ID, key)]

    def reversals(self, keys: Iterable[Key]) -> list[tuple[Key, str]]:
        return [(key, row[0]) for key in keys for row in self._run(_REVERSAL, key)]

    def write(self, sheet: Sheet, *, strict: bool) -> bool:  # noqa: ARG002 - the write lock makes strictness moot
        """Legs, then the entries that seal them, then holds and balances. Under the write lock nothing can surprise."""
        done = self.write_guess(sheet)
        assert done, "an account moved under the write lock, or a hold ended twice"
        return True

    def write_guess(self, sheet: Sheet) -> bool:
        """The same for a sheet worked out before the lock. False if an account or a hold is not what it says."""
        self._write_entries(sheet.new_entries)
        for hold in sheet.new_holds.values():
            self._run(_INSERT_HOLD, _hold_row(hold))
        for hold in sheet.changed_holds:
            now = (hold.amount, hold.state, stamp(hold.ended_at), hold.settled_amount, hold.settled_entry)
            if self._run(_CHANGE_HOLD, (*now, hold.customer_id, hold.id)) != [1]:
                return False
        states = sheet.dirty()
        return self._many(_UPDATE, [_figures(state) for state in states]) == len(states) if states else True

    def _write_entries(self, entries: list[Entry]) -> None:
        stamps: dict[datetime, str] = {}
        pairs: list[tuple[Any, ...]] = []
        legs: list[tuple[Any, ...]] = []
        heads: list[tuple[Any, ...]] = []
        for entry in entries:
            at = stamps.get(entry.recorded_at) or stamps.setdefault(entry.recorded_at, _stamped(entry.recorded_at))
            if is_pair(entry):
                pairs.append(_pair_row(entry, at))
            else:
                legs.extend(_leg_row(entry, position, leg, at) for position, leg in enumerate(entry.legs))
            heads.append(_head_row(entry, at))
        for sql, rows in ((_INSERT_PAIR, pairs), (_INSERT_LEG, legs), (_INSERT_ENTRY, heads)):
            if rows:
                self._many(sql, rows)


def _figures(state: State) -> tuple[Any, ...]:
    return (
        state.balance, state.held, state.debt, state.promo, state.version, tallied(state.tallies),
        stamp(state.moved_at), *state.account, state.revision,
    )  # fmt: skip


def _pair_row(entry: Entry, recorded: str) -> tuple[Any, ...]:
    first = entry.legs[0].seq is not None
    mine, theirs = entry.legs if first else entry.legs[::-1]
    _, account, asset = mine.account
    return (
        entry.customer_id, entry.id, account, asset, entry.kind, mine.amount, mine.promo_amount, theirs.account[1],
        0 if first else 1, mine.seq, mine.kind_seq, mine.balance_after, recorded,
    )  # fmt: skip


def _leg_row(entry: Entry, position: int, leg: Leg, recorded: str) -> tuple[Any, ...]:
    _, account, asset = leg.account
    moved = (leg.amount, leg.promo_amount, leg.seq, leg.kind_seq, leg.balance_after, recorded)
    return (entry.customer_id, entry.id, position, account, asset, entry.kind, *moved)


def _head_row(entry: Entry, recorded: str) -> tuple[Any, ...]:
    occurred = recorded if entry.occurred_at is entry.recorded_at else stamp(entry.occurred_at)
    data = encoded(entry.data) if entry.data else "{}"
    known = (entry.customer_id, entry.id, entry.kind, entry.key, entry.request_hash)
    return (*known, occurred, recorded, data, entry.reverses, len(entry.legs))


def _hold(row: Sequence[Any]) -> Hold:
    customer, id_, account, asset, amount, state, key, hash_, created, expires, data, ended, settled, entry = row
    return Hold(
        id_, Account(customer, account, asset), amount, state, key, hash_, instant(created), instant(expires),
        json.loads(data), instant(ended) if ended else None, settled, entry,
    )  # fmt: skip


def _hold_row(hold: Hold) -> tuple[Any, ...]:
    return (
        hold.customer_id, hold.id, hold.account.kind, hold.account.asset, hold.amount, hold.state, hold.key,
        hold.request_hash, stamp(hold.created_at), stamp(hold.expires_at), encoded(hold.data), stamp(hold.ended_at),
        hold.settled_amount, hold.settled_entry,
    )  # fmt: skip
