"""Two days to look between: the reader's own days, both included."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Self

from flask import request
from wtforms.validators import ValidationError

from app.http.filters import reader_zone
from app.http.forms import DayField, Form


class DayRangeForm(Form):
    """A form with `from` and `to`; either may be empty."""

    since = DayField(name="from")
    until = DayField(name="to")

    @classmethod
    def from_address(cls) -> Self:
        """The filter of this request, validated; its errors say what was ignored."""
        form = cls(formdata=request.args)
        form.validate()
        return form

    def validate_until(self, field: DayField) -> None:
        if field.day and self.since.day and field.day < self.since.day:
            raise ValidationError("Choose a day on or after the first one.")

    @property
    def first_instant(self) -> datetime | None:
        """Where the first day begins in the reader's zone; None when nothing was chosen or something is wrong."""
        return None if self.errors else _start_of(self.since.day)

    @property
    def end(self) -> datetime | None:
        """The instant after the last day."""
        return None if self.errors or not self.until.day else _start_of(self.until.day + timedelta(days=1))

    @property
    def days(self) -> dict[str, Any]:
        """The days as they stand in an address."""
        named = {"from": self.since.data, "to": self.until.data}
        return {name: value for name, value in named.items() if value}


def _start_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), reader_zone()) if day else None
