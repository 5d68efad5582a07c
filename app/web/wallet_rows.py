"""Wallet lines and holds as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.ledger import Hold, Line
from app.wallet import reads
from app.web.refund_rows import PLAIN, Mark


@dataclass(frozen=True)
class Row:
    """A transaction as a row of a table. Amounts in micros."""

    title: str
    detail: str
    at: datetime
    amount: int
    balance: int
    entry_id: str = ""
    mark: Mark = PLAIN


@dataclass(frozen=True)
class HoldLine:
    """A hold as a line of the bill. Amount in micros."""

    name: str
    amount: int
    expires_at: datetime | None  # None: a day's usage, which becomes one entry when the day is over


def row_of(line: Line, mark: Mark | None = None) -> Row:
    title, detail = reads.line_title(line)
    return Row(title, detail, line.occurred_at, line.amount, line.balance_after, line.entry_id, mark or PLAIN)


def hold_line(hold: Hold) -> HoldLine:
    expires_at = None if "meter" in hold.data else hold.expires_at
    return HoldLine(str(hold.data.get("description") or "Reserved"), hold.amount, expires_at)
