"""The books on SQLite: one writer at a time, so whoever is inside reads the last word; plain prepared statements."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from app.ledger.accounts import HOUSE, Account
from app.ledger.entries import Entry, Hold, Leg, encoded
from app.ledger.rules import State
from app.ledger.sheet import Key, Sheet

Run = Callable[[str, Sequence[Any]], list[Any]]

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
    if instant is None:
        return None
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class SqliteBooks:
    """See `app.ledger.books.Books`."""

    locks_rows = False

    def __init__(self, run: Run) -> None:
        self._run = run

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
        """Legs, then the entry that seals them, then holds and balances. The write lock makes surprises impossible."""
        for entry in sheet.new_entries:
            self._write_entry(entry)
        for hold in sheet.new_holds.values():
            self._run(_INSERT_HOLD, _hold_row(hold))
        for hold in sheet.changed_holds:
            now = (hold.amount, hold.state, stamp(hold.ended_at), hold.settled_amount, hold.settled_entry)
            [changed] = self._run(_CHANGE_HOLD, (*now, hold.customer_id, hold.id))
            assert changed == 1, f"{hold.id} ended twice"
        for state in sheet.dirty():
            figures = (state.balance, state.held, state.debt, state.promo, state.version)
            kept = (encoded(state.tallies), stamp(state.moved_at))
            [changed] = self._run(_UPDATE, (*figures, *kept, *state.account, state.revision))
            assert changed == 1, f"{state.account} moved under the write lock"
        return True

    def _write_entry(self, entry: Entry) -> None:
        recorded = stamp(entry.recorded_at)
        for position, leg in enumerate(entry.legs):
            _, account, asset = leg.account
            moved = (leg.amount, leg.promo_amount, leg.seq, leg.kind_seq, leg.balance_after, recorded)
            self._run(_INSERT_LEG, (entry.customer_id, entry.id, position, account, asset, entry.kind, *moved))
        times = (stamp(entry.occurred_at), recorded)
        said = (encoded(entry.data), entry.reverses, len(entry.legs))
        known = (entry.customer_id, entry.id, entry.kind, entry.key, entry.request_hash)
        self._run(_INSERT_ENTRY, (*known, *times, *said))


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
