"""A table of a catalogue file, read value by value: every mistake is noted with its place, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.money import EXPONENTS, MICROS_PER_UNIT

UNLIMITED = "unlimited"
LARGEST_PRICE = 10**11  # minor units
LARGEST = 10**15  # of anything that is counted, and of prices in micros; well within the tables' 64 bits
_PRICE = re.compile(r"(\d{1,11})(?:\.(\d{1,6}))?\Z", re.ASCII)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z", re.ASCII)
_NO_KEY = "is no key: begin with a letter, go on with letters, digits and _, at most 40."


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, and where: `plans.studio.monthly`."""

    place: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"


class Table:
    """One table of the file. What is missing or of the wrong shape becomes a mistake, and a harmless value."""

    def __init__(self, values: Mapping[str, Any], place: str, mistakes: list[Mistake]) -> None:
        self._values = values
        self._asked: set[str] = set()
        self.place = place
        self.mistakes = mistakes

    def wrong(self, name: str, sentence: str) -> None:
        """Note a mistake at a name of this table; "" is the table itself."""
        place = ".".join(part for part in (self.place, name) if part)
        self.mistakes.append(Mistake(place or "the file", sentence))

    def has(self, name: str) -> bool:
        return name in self._values

    def finish(self) -> None:
        """Note every name that nobody asked for: a misspelt one would otherwise say nothing."""
        for name in self._values:
            if name not in self._asked:
                known = ", ".join(sorted(self._asked))
                self.wrong(name, f"is not known here. Known are: {known}.")

    def text(self, name: str, default: str | None = None, longest: int = 200) -> str:
        value = self._value(name, default)
        if isinstance(value, str) and (value or default == "") and len(value) <= longest and _is_line(value):
            return value
        if value is not None:
            self.wrong(name, f"must be a text of 1 to {longest} printable characters, without spaces around it.")
        return default or ""

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of sentences; none when it is not there."""
        value = self._value(name, [])
        if isinstance(value, list) and all(isinstance(one, str) and one.isprintable() and one for one in value):
            return tuple(value)
        self.wrong(name, "must be a list of texts.")
        return ()

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        value = self._value(name, default)
        if value in choices:
            return str(value)
        if value is not None:
            self.wrong(name, f"must be one of {', '.join(choices)}.")
        return choices[0]

    def yes(self, name: str, default: bool | None = False) -> bool:
        value = self._value(name, default)
        if not isinstance(value, bool):
            self.wrong(name, "must be true or false.")
        return value is True

    def whole(self, name: str, default: int | None = None, *, least: int = 0, most: int = LARGEST) -> int:
        value = self._value(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        if value is not None:
            self.wrong(name, f"must be a whole number from {least:,} to {most:,}.")
        return least

    def amount(self, name: str) -> int | None:
        """A whole number, or None for "unlimited"."""
        value = self._value(name, None)
        if value == UNLIMITED:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST:
            return value
        if value is not None:
            self.wrong(name, f'must be a whole number from 0 to {LARGEST:,}, or "{UNLIMITED}".')
        return 0

    def price(self, name: str, currency: str) -> int | None:
        """Minor units from a price in quotes such as "29.00"; None when it is not there."""
        micros = self.micros(name)
        per_minor = MICROS_PER_UNIT // int(10 ** EXPONENTS[currency])
        if micros is not None and micros % per_minor:
            self.wrong(name, f"has more decimals than {currency.upper()}.")
        minor = None if micros is None else micros // per_minor
        if minor is not None and minor > LARGEST_PRICE:
            self.wrong(name, "is too much.")
        return minor

    def micros(self, name: str) -> int | None:
        """Micros from a price in quotes such as "0.0001"; None when it is not there."""
        if not self.has(name):
            self._asked.add(name)
            return None
        value = self._value(name, None)
        found = _PRICE.match(value) if isinstance(value, str) else None
        if found is None:
            self.wrong(name, 'must be a price in quotes, such as "29.00", with at most six decimals.')
            return 0
        return int(found[1]) * MICROS_PER_UNIT + int((found[2] or "").ljust(6, "0"))

    def table(self, name: str) -> Table:
        """A table in this one; empty when it is not there."""
        value = self._value(name, {})
        if not isinstance(value, dict):
            self.wrong(name, "must be a table.")
            value = {}
        return Table(value, f"{self.place}.{name}" if self.place else name, self.mistakes)

    def tables(self, name: str, keys: re.Pattern[str] = _KEY) -> Iterator[tuple[str, Table]]:
        """The tables in a table, such as those of `meters`, by their keys."""
        holder = self.table(name)
        for key in holder.named(keys):
            yield key, holder.table(key)

    def rows(self, name: str) -> Iterator[Table]:
        """The tables of an array of tables, `[[name]]`, in their order."""
        value = self._value(name, [])
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            self.wrong(name, "must be tables, each beginning with [[" + name + "]].")
            return
        for number, row in enumerate(value, 1):
            place = f"{name}[{number}]"
            yield Table(row, f"{self.place}.{place}" if self.place else place, self.mistakes)

    def day(self, name: str) -> str:
        """A day written without quotes, 2026-11-01; as text."""
        value = self._value(name, None)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        if value is not None:
            self.wrong(name, "must be a day without quotes, such as 2026-11-01.")
        return "2000-01-01"

    def named(self, keys: re.Pattern[str] = _KEY, fault: str = _NO_KEY) -> Iterator[str]:
        """The names in a table whose names are keys, each noted when it cannot be one."""
        for key in self._values:
            if not keys.match(key):
                self.wrong(key, fault)
            self._asked.add(key)
            yield key

    def is_table(self, name: str) -> bool:
        return isinstance(self._values.get(name), dict)

    def _value(self, name: str, default: Any) -> Any:
        self._asked.add(name)
        if name in self._values:
            return self._values[name]
        if default is None:
            self.wrong(name, "is missing.")
        return default


def _is_line(text: str) -> bool:
    return text.isprintable() and text.strip() == text
