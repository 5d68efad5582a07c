"""Wallet lines and holds as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.ledger import Hold, Line
from app.wallet import reads


@dataclass(frozen=True)
class Row:
    """A transaction as a row of a table. Amounts in micros."""

    title: str
    detail: str
    at: datetime
    amount: int
    balance: int


@dataclass(frozen=True)
class HoldLine:
    """A hold as a line of the bill. Amount in micros."""

    name: str
    amount: int
    expires_at: datetime


def row_of(line: Line) -> Row:
    title, detail = reads.line_title(line)
    return Row(title, detail, line.occurred_at, line.amount, line.balance_after)


def hold_line(hold: Hold) -> HoldLine:
    return HoldLine(str(hold.data.get("description") or "Reserved"), hold.amount, hold.expires_at)
