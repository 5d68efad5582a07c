"""An account's history on its page: which movements are shown, the pages beside these, their sums, and all as CSV."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import request, url_for
from wtforms import StringField
from wtforms.validators import ValidationError

from app import ledger
from app.errors import Invalid
from app.extensions import db
from app.http import csv_file, paging
from app.http.day_range import DayRangeForm
from app.http.filters import number
from app.http.paging import Pager
from app.ledger import Account, Line

ROWS = 50
_IN_A_FILE = 1_000  # lines read at once


class KindFilterForm(DayRangeForm):
    """Type and days. `kinds_of` gives the ledger kinds behind a type, and raises Invalid for one nobody knows."""

    kinds_of: ClassVar[staticmethod[[str], list[str]]]
    kinds_chosen: Sequence[str] | None = None  # ledger kinds to show; None for all

    type = StringField()

    def validate_type(self, field: StringField) -> None:
        try:
            self.kinds_chosen = self.kinds_of(field.data) if field.data else None
        except Invalid as refusal:
            raise ValidationError(refusal.sentence) from refusal

    @property
    def dated(self) -> bool:
        return self.first_instant is not None or self.end is not None

    @property
    def query(self) -> dict[str, Any]:
        """The filter as it stands in an address."""
        return {**({"type": self.type.data} if self.type.data else {}), **self.days}


@dataclass(frozen=True)
class Tally:
    """What the shown kinds brought in and took out over the account's life, in its smallest unit; never summed here."""

    entries: int
    came: int
    went: int  # below zero, as the lines show it


def tally_of(totals: Mapping[str, tuple[int, int, int]], chosen: Collection[str] | None) -> Tally:
    """The sums of these kinds, of all for None, from what the ledger keeps by kind."""
    shown = [of_kind for kind, of_kind in totals.items() if chosen is None or kind in chosen]
    entries, came, went = (sum(figures) for figures in zip(*shown, strict=True)) if shown else (0, 0, 0)
    return Tally(entries, came, -went)


@dataclass(frozen=True)
class Shown:
    """One page of a history: `page` is the endpoint it is at, `entries` how many lines there are unfiltered."""

    filters: KindFilterForm
    lines: Sequence[Line]
    older: int | None
    page: str
    entries: int

    def pager(self, tally: Tally, one: str, many: str) -> Pager:
        """The foot of the list, which counts `one` or `many`."""
        count = f"{number(tally.entries)} {one if tally.entries == 1 else many}, newest first"
        older = self._address(self.older) if self.older else ""
        return Pager("Newest first" if self.filters.dated else count, self._newer(), older)

    def _newer(self) -> str:
        """The page before this one. Its place is known because the lines of an unfiltered history are numbered
        gaplessly; a filtered one leads back to its newest page."""
        if not request.args.get("before"):
            return ""
        if self.filters.query or not self.lines:
            return self._address(None)
        first = self.lines[0].seq + ROWS + 1
        return self._address(first if first <= self.entries else None)

    def _address(self, before: int | None) -> str:
        place: dict[str, Any] = {"before": paging.cursor(before)} if before else {}
        return url_for(self.page, **self.filters.query, **place)


def csv_rows(
    account: Account, filters: KindFilterForm, rows_of: Callable[[list[Line]], list[Sequence[object]]]
) -> Iterator[Sequence[object]]:
    """Every line of the filter as a row of a file, read while it is written."""
    session = db.session()
    chosen, since, until = filters.kinds_chosen, filters.first_instant, filters.end

    def page(before: int | None) -> tuple[list[Sequence[object]], int | None]:
        lines = ledger.history(
            session, account, before=before, limit=_IN_A_FILE, kinds=chosen, since=since, until=until
        )
        return rows_of(lines), lines[-1].seq if len(lines) == _IN_A_FILE else None

    return csv_file.walked(session, page)
