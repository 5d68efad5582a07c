"""Credit movements as the page shows them, and which of them to show."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request
from wtforms import StringField
from wtforms.validators import ValidationError

from app.credits import words
from app.credits.models import CreditGrant
from app.errors import Invalid
from app.http.day_range import DayRangeForm
from app.ledger import Line


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


@dataclass(frozen=True)
class Tally:
    """What the shown kinds brought in and took out over the account's life; kept by the ledger, never summed here."""

    entries: int
    came: int
    went: int  # below zero, as the lines show it


class CreditFilterForm(DayRangeForm):
    """Type and days of the movements shown."""

    kinds_chosen: Sequence[str] | None = None  # ledger kinds to show; None for all

    type = StringField()

    def validate_type(self, field: StringField) -> None:
        try:
            self.kinds_chosen = words.of_type(field.data) if field.data else None
        except Invalid as refusal:
            raise ValidationError(refusal.sentence) from refusal

    @property
    def dated(self) -> bool:
        return self.first_instant is not None or self.end is not None

    @property
    def query(self) -> dict[str, Any]:
        """The filter as it stands in an address."""
        return {**({"type": self.type.data} if self.type.data else {}), **self.days}


def filters_from_address() -> CreditFilterForm:
    """The filter of this request, validated; its errors say what was ignored."""
    form = CreditFilterForm(formdata=request.args)
    form.validate()
    return form


def row_of(line: Line, grant: CreditGrant | None) -> Row:
    title, detail = words.line_title(line)
    ends_at, left = (grant.expires_at, grant.remaining) if grant else (None, 0)
    kind = words.named(line.kind).title
    return Row(title, detail, kind, line.occurred_at, line.amount, line.balance_after, ends_at, left)


def tally_of(totals: Mapping[str, tuple[int, int, int]], chosen: Collection[str] | None) -> Tally:
    shown = [of_kind for kind, of_kind in totals.items() if chosen is None or kind in chosen]
    entries, came, went = (sum(figures) for figures in zip(*shown, strict=True)) if shown else (0, 0, 0)
    return Tally(entries, came, -went)
