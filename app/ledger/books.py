"""Reading a sheet in under lock and writing it out, whichever database keeps the books."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy.orm import Session

from app import clock
from app.errors import Refusal
from app.ledger.accounts import Account
from app.ledger.books_postgresql import PostgresBooks
from app.ledger.books_sqlite import SqliteBooks
from app.ledger.chart import ChartViolation
from app.ledger.entries import Entry, Hold
from app.ledger.requests import Holding, Posting, Request
from app.ledger.rules import State
from app.ledger.sheet import Key, Result, Sheet, settle_key

Run = Callable[[str, Sequence[Any]], list[Any]]


class Books(Protocol):
    """One database's way of reading and writing the ledger inside an open transaction."""

    locks_rows: bool  # or the whole database, which knows no wrong order

    def states(self, accounts: Iterable[Account], *, lock: bool = True) -> list[State]:
        """The accounts that exist, locked in ascending order."""

    def open(self, accounts: Iterable[Account]) -> None:
        """Make the rows of accounts that do not exist yet."""

    def entries_by_key(self, keys: Iterable[Key]) -> list[Entry]: ...

    def holds_by_key(self, keys: Iterable[Key]) -> list[Hold]: ...

    def holds_by_id(self, keys: Iterable[Key]) -> list[Hold]: ...

    def reversals(self, keys: Iterable[Key]) -> list[tuple[Key, str]]: ...

    def write(self, sheet: Sheet, *, strict: bool) -> bool:
        """Write it all. Not strict: False, with nothing written, when another transaction took the key just now."""


def books_of(session: Session) -> Books:
    """The books on the session's own connection, inside its transaction."""
    session.flush()
    connection = session.connection()

    def run(sql: str, parameters: Sequence[Any]) -> list[Any]:
        result = connection.exec_driver_sql(sql, tuple(parameters))
        return list(result) if result.returns_rows else [result.rowcount]

    return books_for(connection.dialect.name, run)


def books_for(dialect: str, run: Run) -> Books:
    return SqliteBooks(run) if dialect == "sqlite" else PostgresBooks(run)


def read(books: Books, requests: Sequence[Request], *, lock: bool = True) -> Sheet:
    """Everything these requests depend on. Keys are looked up after the locks: what is read is then the last word."""
    accounts: set[Account] = set()
    keys: list[Key] = []
    hold_keys: list[Key] = []
    hold_ids: list[Key] = []
    reversed_ids: list[Key] = []
    for request in requests:
        if isinstance(request, Posting):
            accounts.update(request.accounts)
            keys.append((request.customer_id, request.key))
            if request.reverses is not None:
                reversed_ids.append((request.customer_id, request.reverses))
        elif isinstance(request, Holding):
            accounts.add(request.account)
            hold_keys.append((request.account.customer_id, request.key))
        else:
            hold_ids.append((request.customer_id, request.hold_id))
            keys.append((request.customer_id, settle_key(request.hold_id)))
    if hold_ids:  # a hold's account never changes, so it may be read before the lock
        accounts.update(hold.account for hold in books.holds_by_id(hold_ids))
    sheet = Sheet(now=clock.now())
    sheet.states = {state.account: state for state in books.states(sorted(accounts), lock=lock)}
    for account in accounts - sheet.states.keys():
        sheet.states[account] = State(account, stored=False)
    sheet.entries = {(entry.customer_id, entry.key): entry for entry in books.entries_by_key(keys)}
    if hold_keys:
        sheet.holds_by_key = {(hold.customer_id, hold.key): hold for hold in books.holds_by_key(hold_keys)}
    if hold_ids:
        sheet.holds = {(hold.customer_id, hold.id): hold for hold in books.holds_by_id(hold_ids)}
    if reversed_ids:
        sheet.reversals = dict(books.reversals(reversed_ids))
    return sheet


def apply(
    books: Books, requests: Sequence[Request], *, strict: bool, done: Callable[[Sheet], None] | None = None
) -> list[Result | Exception]:
    """Apply requests in order, each on its own: one that is refused or faulty answers so and leaves no mark."""
    _open_before_locking(books, requests)
    while True:
        sheet = read(books, requests)
        results = [attempt(sheet, request) for request in requests]
        fresh = [state.account for state in sheet.dirty() if not state.stored]
        if fresh:
            # A row that does not exist cannot be locked: make it, and look again now that it can be.
            books.open(fresh)
        elif not (sheet.dirty() or sheet.new_entries) or books.write(sheet, strict=strict):
            if done is not None:
                done(sheet)
            return results


def _open_before_locking(books: Books, requests: Sequence[Request]) -> None:
    """Make the accounts that will be needed while no lock is held yet.

    Making one later, between locks on others, would break the ascending order in which everybody locks. A request that
    will be refused makes none.
    """
    one = requests[0] if len(requests) == 1 else None
    if not books.locks_rows or (one is not None and not (isinstance(one, Posting) and len(one.accounts) > 1)):
        return
    sheet = read(books, requests, lock=False)
    if all(state.stored for state in sheet.states.values()):
        return
    for request in requests:
        attempt(sheet, request)
    fresh = [state.account for state in sheet.dirty() if not state.stored]
    if fresh:
        books.open(fresh)


def attempt(sheet: Sheet, request: Request) -> Result | Exception:
    try:
        return sheet.take(request)
    except (Refusal, ChartViolation) as refusal:
        return refusal


def apply_one(session: Session, request: Request) -> Result:
    """Apply one request in the caller's transaction. Raises what it is refused with."""
    [result] = apply(books_of(session), [request], strict=False)
    if isinstance(result, Exception):
        raise result
    return result
