"""A staff list's filter with two days and two sizes, which stands in the page's address."""

from __future__ import annotations

from typing import Any, ClassVar

from wtforms import StringField
from wtforms.validators import ValidationError

from app.errors import Refusal
from app.http.day_range import DayRangeForm
from app.http.filters import default_currency
from app.money import parse_minor


class SizedFilter(DayRangeForm):
    """`NAMED` are the fields an address carries besides the days, `LONGEST` the characters of each that count."""

    NAMED: ClassVar[tuple[str, ...]]
    LONGEST: ClassVar[int]

    least = StringField()
    most = StringField()

    def validate_least(self, field: StringField) -> None:
        self.size(field)

    def validate_most(self, field: StringField) -> None:
        self.size(field)

    @property
    def query(self) -> dict[str, Any]:
        """The filter as it stands in an address."""
        named = {name: self.words(name) for name in self.NAMED}
        return {**{name: value for name, value in named.items() if value}, **self.days}

    def words(self, name: str) -> str:
        return self.typed(name).strip()[: self.LONGEST]

    def size(self, field: StringField) -> int | None:
        """What was typed, in the list's unit; None for nothing. Raises ValidationError."""
        raise NotImplementedError


def minor_of(typed: str) -> int:
    """Minor units of the currency. Raises ValidationError for what is no amount."""
    try:
        return parse_minor(typed, default_currency())
    except Refusal as refusal:
        raise ValidationError(refusal.sentence) from refusal
