"""The books on PostgreSQL: rows locked in ascending order, everything written by one call of `ledger_write`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from app.ledger.accounts import HOUSE, Account
from app.ledger.entries import Entry, Hold, Leg, encoded, is_pair, tallied
from app.ledger.rules import State
from app.ledger.sheet import Key, Sheet
from app.ledger.writing_postgresql import BETWEEN, BETWEEN_COLUMNS, NULL

Run = Callable[[str, Sequence[Any]], list[Any]]

STATES = (
    "SELECT customer_id, kind, asset, balance, held, debt, promo, version, revision, tallies::text, moved_at, frozen "
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
TAKE_PAIR = "INSERT INTO ledger_pair VALUES (%s)"
TAKE_PAIRS = "INSERT INTO ledger_pairs VALUES (%s, %s, %s::json, %s::json)"
WRITE = "SELECT ledger_write(true, %s, %s, %s, %s, %s::json, %s::json)"
_WRITE_APART = "SELECT ledger_write_apart(%s, %s, %s, %s::json, %s::json)"
_Text = str | None


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


def write_call(sheet: Sheet, *, strict: bool) -> tuple[str, list[_Text]]:
    """The call that writes a sheet, and its arguments, as `app.ledger.writing_postgresql` describes them."""
    states, entries = sheet.dirty(), sheet.new_entries
    new, changed = _holds_json(list(sheet.new_holds.values())), _holds_json(sheet.changed_holds)
    if not strict:
        return _WRITE_APART, [_accounts(states), *_entries(entries), new, changed]
    pairs = [entry for entry in entries if is_pair(entry)]
    others = [entry for entry in entries if not is_pair(entry)] if len(pairs) < len(entries) else []
    return WRITE, [_accounts(states), _pairs(pairs), *_entries(others), new, changed]


def guess_call(sheet: Sheet) -> tuple[str, list[_Text]]:
    """The same for a sheet that was worked out from memory: through a door if all its entries are pairs."""
    states, entries = sheet.dirty(), sheet.new_entries
    if not entries or not all(is_pair(entry) for entry in entries):
        return write_call(sheet, strict=True)
    if len(entries) == len(states) == 1 and not sheet.new_holds and not sheet.changed_holds:
        return TAKE_PAIR, [_one(states[0], entries[0])]
    new, changed = _holds_json(list(sheet.new_holds.values())), _holds_json(sheet.changed_holds)
    return TAKE_PAIRS, [_accounts(states), _pairs(entries), new, changed]


def _one(state: State, entry: Entry) -> str:
    """The row of `ledger_pair`: an entry of two legs, and the only account it moved."""
    first = entry.legs[0].seq is not None
    mine, theirs = entry.legs if first else entry.legs[::-1]
    customer_id, account, asset = state.account
    recorded = str(entry.recorded_at)
    occurred = recorded if entry.occurred_at is entry.recorded_at else str(entry.occurred_at)
    data = encoded(entry.data) if entry.data else "{}"
    row = (
        f"{customer_id}\x1f{account}\x1f{asset}\x1f{state.balance}\x1f{state.held}\x1f{state.debt}\x1f{state.promo}"
        f"\x1f{state.version}\x1f{state.revision}\x1f{tallied(state.tallies)}\x1f{recorded}\x1f{entry.id}\x1f{entry.kind}"
        f"\x1f{entry.key}\x1f{entry.request_hash}\x1f{occurred}\x1f{data}\x1f{entry.reverses or NULL}\x1f{mine.amount}"
        f"\x1f{mine.promo_amount}\x1f{mine.kind_seq}\x1f{theirs.account.kind}\x1f{0 if first else 1}"
    )
    assert row.count(BETWEEN) == 22, "a value holds a separator"
    return row


def _accounts(states: list[State]) -> _Text:
    return _table(
        [s.account[0] for s in states],
        [s.account[1] for s in states],
        [s.account[2] for s in states],
        [str(s.balance) for s in states],
        [str(s.held) for s in states],
        [str(s.debt) for s in states],
        [str(s.promo) for s in states],
        [str(s.version) for s in states],
        [str(s.revision) for s in states],
        [tallied(s.tallies) for s in states],
        _times([s.moved_at for s in states]),
    )


def _heads(entries: list[Entry]) -> list[list[str]]:
    """The columns that every entry has."""
    return [
        [e.customer_id for e in entries],
        [e.id for e in entries],
        [e.kind for e in entries],
        [e.key for e in entries],
        [e.request_hash for e in entries],
        _times([e.occurred_at for e in entries]),
        _times([e.recorded_at for e in entries]),
        [encoded(e.data) if e.data else "{}" for e in entries],
        [e.reverses or NULL for e in entries],
    ]


def _pairs(entries: list[Entry]) -> _Text:
    mine = [e.legs[0] if e.legs[0].seq is not None else e.legs[1] for e in entries]
    return _table(
        *_heads(entries),
        [leg.account[1] for leg in mine],
        [leg.account[2] for leg in mine],
        ["0" if e.legs[0].seq is not None else "1" for e in entries],
        [str(leg.amount) for leg in mine],
        [str(leg.promo_amount) for leg in mine],
        [str(leg.seq) for leg in mine],
        [str(leg.kind_seq) for leg in mine],
        [str(leg.balance_after) for leg in mine],
        [(e.legs[1] if e.legs[0].seq is not None else e.legs[0]).account[1] for e in entries],
    )


def _entries(entries: list[Entry]) -> list[_Text]:
    """Entries, and their legs."""
    legs = [(e, number, leg) for e in entries for number, leg in enumerate(e.legs)]
    return [
        _table(*_heads(entries), [str(len(e.legs)) for e in entries]),
        _table(
            [e.customer_id for e, _, _ in legs],
            [e.id for e, _, _ in legs],
            [str(number) for _, number, _ in legs],
            [leg.account.kind for _, _, leg in legs],
            [leg.account.asset for _, _, leg in legs],
            [e.kind for e, _, _ in legs],
            *([NULL if leg[at] is None else str(leg[at]) for _, _, leg in legs] for at in range(1, 6)),
            _times([e.recorded_at for e, _, _ in legs]),
        ),
    ]


def _table(*columns: list[str]) -> _Text:
    """Columns as one text, or None without a row. Asserts that no value could be taken for two, or for none at all."""
    rows = len(columns[0])
    if rows == 0:
        return None
    texts = [BETWEEN.join(column) for column in columns]
    assert all(text and text.count(BETWEEN) == rows - 1 for text in texts), "a value holds a separator, or is no text"
    table = BETWEEN_COLUMNS.join(texts)
    assert table.count(BETWEEN_COLUMNS) == len(columns) - 1, "a value holds a separator"
    return table


def _times(instants: Sequence[datetime | None]) -> list[str]:
    """Instants as text. Nearly all of a batch are the same object, and writing one out costs more than a whole row."""
    last, text, texts = None, NULL, []
    for instant in instants:
        if instant is not last:
            last, text = instant, NULL if instant is None else str(instant)
        texts.append(text)
    return texts


def _holds_json(holds: list[Hold]) -> str | None:
    return json.dumps([_hold_record(hold) for hold in holds]) if holds else None


def _columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows turned into columns, each of which becomes one array."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)


def _state(row: Sequence[Any]) -> State:
    customer_id, kind, asset, balance, held, debt, promo, version, revision, tallies, moved_at, frozen = row
    account, kept = Account(customer_id, kind, asset), json.loads(tallies)
    return State(account, balance, held, debt, promo, version, revision, kept, _utc(moved_at), frozen)


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
