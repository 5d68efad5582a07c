"""Forms: the WTForms base, fields for money and dates, and refusals shown beside the field they are about."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.validators import ValidationError

from app.errors import Refusal
from app.http.filters import cents, default_currency
from app.money import parse_minor

EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)  # a day at the edge of the calendar has no zone's midnight
_LONG_FIGURES = re.compile(r"\$?[0-9]{13,}(\.[0-9]*)?\Z")  # an amount all right, but more than any limit


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The base of every form. CSRF is checked for the whole application by CSRFProtect, so not again here."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        csrf = False

    def refuse(self, refusal: Refusal, default: str) -> None:
        """Put a domain's refusal beside the field it names, or beside `default` when it names none of ours."""
        named = refusal.field
        target: Field = self[named if named in self else default]
        target.errors = [*target.errors, refusal.sentence]

    def typed(self, name: str) -> str:
        """What was typed, without the NUL that PostgreSQL cannot hold; an empty string for nothing."""
        return str(self[name].data or "").replace("\0", "")

    def error(self, name: str) -> str:
        """The first sentence about this field, or an empty string."""
        errors = self[name].errors
        return str(errors[0]) if errors else ""

    def summary(self) -> dict[str, str]:
        """Input id to first sentence, in the order of the fields: what `ui.error_summary` lists."""
        return {field.id: str(field.errors[0]) for field in self if field.errors}


class MoneyField(StringField):
    """An amount as a person types it. `data` keeps the typed text, `minor` holds the minor units once it is valid."""

    def __init__(
        self, label: str = "", *, minimum: int = 1, maximum: int | None = None, instead: str = "", **options: Any
    ) -> None:
        """`minimum` and `maximum` are minor units, both allowed. `instead` names the field read when this is empty."""
        super().__init__(label, **options)
        self.minimum, self.maximum, self.instead = minimum, maximum, instead
        self.minor: int | None = None

    def pre_validate(self, form: Any) -> None:
        typed = self.data or ""
        if not typed.strip() and self.instead:
            typed = form[self.instead].data or ""
        try:
            minor = self._parsed(typed)
        except ValidationError:
            self.data = typed  # what is wrong is shown where the sentence stands
            raise
        self.minor = minor

    def _parsed(self, typed: str) -> int:
        if self.maximum is not None and _LONG_FIGURES.match(typed.strip()):
            raise ValidationError(f"Enter {cents(self.maximum)} or less.")
        try:
            minor = parse_minor(typed, default_currency())
        except Refusal as refusal:
            raise ValidationError(refusal.sentence) from refusal
        check_range(minor, self.minimum, self.maximum)
        return minor


class DayField(StringField):
    """A date as <input type="date"> sends it. `data` keeps the typed text, `day` the date, None for an empty field."""

    day: date | None = None

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002  # WTForms calls it so
        if not (self.data or "").strip():
            return
        try:
            self.day = date.fromisoformat((self.data or "").strip())
        except ValueError as wrong:
            raise ValidationError("Enter a date like 2026-12-04.") from wrong
        if not EARLIEST <= self.day <= LATEST:
            self.day = None
            raise ValidationError("Enter a year from 2000 to 2999.")


def check_range(minor: int, minimum: int, maximum: int | None) -> None:
    """Raise ValidationError with the fix, "Enter $10.00 or more", when the amount is outside."""
    if minor < minimum:
        raise ValidationError(f"Enter {cents(minimum)} or more.")
    if maximum is not None and minor > maximum:
        raise ValidationError(f"Enter {cents(maximum)} or less.")
