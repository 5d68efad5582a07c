"""What pages and the API read of a wallet: balance, holds, transactions with running balance, totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app import ledger
from app.ledger import Balance, Hold, Line
from app.wallet import kinds as names
from app.wallet import model_calls
from app.wallet.accounts import wallet_of

MOST_HOLDS = 50


@dataclass(frozen=True, slots=True)
class WalletPage:
    """One page of a wallet, newest line first. `next_cursor` is what to ask for next, None at the end.

    `totals` counts over the whole life of the wallet: ledger kind -> (entries, micros in, micros out).
    """

    balance: Balance
    holds: Sequence[Hold]
    lines: Sequence[Line]
    next_cursor: int | None
    totals: Mapping[str, tuple[int, int, int]]


def wallet_page(
    session: Session,
    customer_id: str,
    currency: str,
    *,
    before: int | None = None,
    kinds: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
) -> WalletPage:
    """The wallet of one customer. `before` is the last page's `next_cursor`; `kinds` are ledger kinds."""
    wallet = wallet_of(customer_id, currency)
    lines, following = _page(
        session, customer_id, currency, before=before, kinds=kinds, since=since, until=until, limit=limit
    )
    balance, totals = ledger.balance_and_totals(session, wallet)
    return WalletPage(
        balance=balance,
        holds=ledger.live_holds(session, wallet, limit=MOST_HOLDS),
        lines=lines,
        next_cursor=following,
        totals=totals,
    )


def transactions_after(
    session: Session, customer_id: str, currency: str, *, cursor: int | None, kinds: Sequence[str] | None, limit: int
) -> tuple[int, list[Line], int | None]:
    """Transactions by cursor: how many there are in all, this page, and the next cursor."""
    lines, following = _page(session, customer_id, currency, before=cursor, kinds=kinds, limit=limit)
    return count(session, customer_id, currency, kinds), lines, following


def transactions_at(
    session: Session, customer_id: str, currency: str, *, offset: int, kinds: Sequence[str] | None, limit: int
) -> tuple[int, list[Line], int | None]:
    """Transactions by offset, as the API's documents ask: how many in all, this page, and the cursor to go on with."""
    total, lines = ledger.history_offset(
        session, wallet_of(customer_id, currency), offset=offset, limit=limit, kinds=kinds
    )
    return total, lines, lines[-1].seq if lines and offset + len(lines) < total else None


def count(session: Session, customer_id: str, currency: str, kinds: Sequence[str] | None = None) -> int:
    """How many transactions there are, of these ledger kinds or of all: kept by the ledger, never counted."""
    totals = ledger.totals(session, wallet_of(customer_id, currency))
    return sum(of_kind[0] for kind, of_kind in totals.items() if kinds is None or kind in kinds)


def line_title(line: Line) -> tuple[str, str]:
    """What a row of the statement says: a heading, and a second line that may be empty."""
    title = names.named(line.kind).title
    told = str(line.data.get("description") or "")
    if line.kind == "topup":
        return title, str(line.data.get("channel") or "").capitalize()
    if (call := model_calls.of(line.kind, line.data)) is not None:
        return title, call.in_words
    if line.kind == "adjustment":
        return ("Credit from us" if line.amount > 0 else "Correction"), told
    if line.kind in ("debit", "settlement"):
        return told or title, "" if line.kind == "debit" else "Settled hold"
    return title, "" if told == title else told.removeprefix(f"{title}: ")


def description(line: Line) -> str:
    """The one line the API gives as `description`."""
    return str(line.data.get("description") or names.named(line.kind).title)


def _page(
    session: Session,
    customer_id: str,
    currency: str,
    *,
    before: int | None,
    kinds: Sequence[str] | None,
    limit: int,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[list[Line], int | None]:
    # One more than asked for tells whether there is a next page without counting.
    lines = ledger.history(
        session,
        wallet_of(customer_id, currency),
        before=before,
        limit=limit + 1,
        kinds=kinds,
        since=since,
        until=until,
    )
    page = list(lines[:limit])
    return page, page[-1].seq if len(lines) > limit else None
