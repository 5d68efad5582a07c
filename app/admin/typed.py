"""What staff typed into a form with many fields: read value by value, each mistake kept for its field, nothing lost."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta

from app.errors import Refusal
from app.http.filters import default_currency
from app.http.forms import EARLIEST, LATEST
from app.money import parse_micros, parse_minor

UNLIMITED = ("unlimited", "no limit", "∞")
_WHOLE = re.compile(r"\d{1,3}(?:,\d{3})+\Z|\d{1,16}\Z", re.ASCII)
_LONG = re.compile(r"\$?[\d,]{13,}", re.ASCII)


class Typed:
    """The texts by name, and `errors` by the id of the input, which is its name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.errors: dict[str, str] = {}

    def wrong(self, name: str, sentence: str) -> None:
        """Note a mistake; of several in one field the first is shown."""
        self.errors.setdefault(name, sentence)

    def raw(self, name: str) -> str:
        """As it was typed, to be shown again."""
        return self.values.get(name, "").replace("\0", "")

    def line(self, name: str) -> str:
        return self.raw(name).strip()

    def ticked(self, name: str) -> bool:
        return bool(self.line(name))

    def lines(self, name: str) -> tuple[str, ...]:
        """The lines that say something."""
        return tuple(line.strip() for line in self.raw(name).splitlines() if line.strip())

    def choice(self, name: str, choices: Collection[str]) -> str:
        value = self.line(name)
        if value not in choices:
            self.wrong(name, "Choose one of these.")
        return value

    def whole(self, name: str, *, blank: int | None = None, least: int = 0, most: int = 10**15) -> int | None:
        """A whole number, with or without thousands separators; `blank` for an empty field."""
        value = self.line(name)
        if not value:
            return blank
        number = int(value.replace(",", "")) if _WHOLE.match(value) else -1
        if not least <= number <= most:
            self.wrong(name, f"Enter a whole number from {least:,} to {most:,}.")
            return blank
        return number

    def amount(self, name: str) -> int | None:
        """A whole number, or None for one of the words for no limit."""
        value = self.line(name)
        if value.lower() in UNLIMITED:
            return None
        if not _WHOLE.match(value):
            self.wrong(name, "Enter a whole number, or “unlimited”.")
            return 0
        return int(value.replace(",", ""))

    def price(self, name: str) -> int | None:
        """Minor units of the installation's currency; None for an empty field."""
        value = self.line(name)
        if not value:
            return None
        if _LONG.match(value):
            self.wrong(name, "Enter a smaller price.")
            return 0
        try:
            return parse_minor(value, default_currency())
        except Refusal as refusal:
            self.wrong(name, refusal.sentence)
            return 0

    def unit_price(self, name: str) -> int | None:
        """Micros, as prices of single units need; None for an empty field."""
        value = self.line(name)
        if not value:
            return None
        try:
            return parse_micros(value)
        except Refusal as refusal:
            self.wrong(name, refusal.sentence)
            return 0

    def midnight(self, name: str, *, after: bool = False) -> datetime | None:
        """The beginning of a day in UTC, or with `after` its end, from <input type="date">; None for an empty field."""
        value = self.line(name)
        if not value:
            return None
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.wrong(name, "Enter a date like 2026-12-04.")
            return None
        if not EARLIEST <= day <= LATEST:
            self.wrong(name, "Enter a year from 2000 to 2999.")
            return None
        return datetime.combine(day + timedelta(days=after), time(), UTC)
