"""Credit movements as the page shows them, and which of them to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.credits import words
from app.credits.models import CreditGrant
from app.ledger import Line
from app.web.account_history import KindFilterForm


@dataclass(frozen=True)
class Row:
    """A movement as a row of a table, in whole credits. `ends_at`: of what came in, with `left` of it there now."""

    title: str
    detail: str
    type: str
    at: datetime
    amount: int
    balance: int
    ends_at: datetime | None = None
    left: int = 0


class CreditFilterForm(KindFilterForm):
    """Type and days of the movements shown."""

    kinds_of = staticmethod(words.of_type)


def row_of(line: Line, grant: CreditGrant | None) -> Row:
    title, detail = words.line_title(line)
    ends_at, left = (grant.expires_at, grant.remaining) if grant else (None, 0)
    kind = words.named(line.kind).title
    return Row(title, detail, kind, line.occurred_at, line.amount, line.balance_after, ends_at, left)
