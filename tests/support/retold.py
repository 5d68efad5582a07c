"""One life, told to many customers: each has its own ids, in the database, in the news, and in what the provider says.

What happened at a provider happens once. Its rows here are copied, the news is rewritten and signed again, and what the
adapter reads is remembered and rewritten: a thousand lives cost no call, no process and no database of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from sqlalchemy import Connection

from app.db import Base

# Rows of a customer that no news reads: what was told to people, and the trail of who did what.
_LEFT = {"activity", "notice", "outgoing_event", "outgoing_delivery"}
_READS = ("get_", "list_", "preview", "recheck_")


class Names:
    """What belongs to one life, by its shape, and how it is called in the n-th; `kept` belongs to all of them.

    Life 0 is the one that was lived.
    """

    def __init__(self, shape: str, rename: Callable[[str, int], str], kept: frozenset[str] = frozenset()) -> None:
        self._shape, self._rename, self._kept = re.compile(shape), rename, kept
        self._first: dict[str, str] = {}

    def there(self, said: str, life: int) -> str:
        """The same words about the n-th life."""
        return self._shape.sub(lambda found: self._name(found[0], life), said)

    def here(self, said: str) -> str:
        """Words about any life, as they would be about the first."""
        return self._shape.sub(lambda found: self._first.get(found[0], found[0]), said)

    def _name(self, name: str, life: int) -> str:
        if name in self._kept:
            return name
        made = self._rename(name, life)
        self._first[made] = name
        return made

    def all_there(self, value: Any, life: int) -> Any:
        """The same in values of any depth."""
        return _mapped(value, lambda said: self.there(said, life))

    def all_here(self, value: Any) -> Any:
        return _mapped(value, self.here)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if type(value) is str:
        return change(value)
    if isinstance(value, dict):
        return {change(name): _mapped(each, change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_mapped(each, change) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        mine = {field.name: getattr(value, field.name) for field in fields(value) if field.init}
        changed = {name: _mapped(each, change) for name, each in mine.items()}
        return replace(value, **{name: each for name, each in changed.items() if each is not mine[name]})
    return value


class Remembering:
    """An adapter whose provider no longer changes: asked once, it answers about every life. `life` is the one meant."""

    def __init__(self, real: Any, names: Names) -> None:
        self._real, self._names, self._known = real, names, {}  # type: ignore[var-annotated]
        self.life = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not name.startswith(_READS):
            return found

        def ask(*args: Any, **how: Any) -> Any:
            asked = (name, self.life, repr(args), repr(how))
            if asked not in self._known:
                self._known[asked] = self._names.all_there(self._answer(name, found, args, how), self.life)
            return self._known[asked]

        return ask

    def _answer(self, name: str, found: Any, args: Any, how: Any) -> Any:
        first = self._names.all_here(args), self._names.all_here(how)
        asked = (name, None, repr(first[0]), repr(first[1]))
        if asked not in self._known:
            self._known[asked] = found(*first[0], **first[1])
        return self._known[asked]


@dataclass(frozen=True)
class Past:
    """The rows of one customer, as they were before any of the news."""

    names: Names
    rows: dict[str, tuple[list[str], list[tuple[Any, ...]]]]

    def copy(self, connection: Connection, lives: range) -> None:
        """Give every one of these lives the same rows under its own names."""
        for table, (columns, rows) in self.rows.items():
            places = ", ".join("?" * len(columns))
            told = [tuple(self.names.all_there(row, life)) for life in lives for row in rows]
            listed = ", ".join(f'"{column}"' for column in columns)
            connection.exec_driver_sql(f"INSERT INTO {table} ({listed}) VALUES ({places})", told)


def past_of(connection: Connection, customer_id: str, names: Names) -> Past:
    """All that is in the database about this customer."""
    rows = {}
    for table in Base.metadata.sorted_tables:
        owner = "id" if table.name == "customer" else "customer_id"
        if table.name in _LEFT or owner not in table.columns:
            continue
        found = connection.exec_driver_sql(f"SELECT * FROM {table.name} WHERE {owner} = ?", (customer_id,))
        columns, kept = list(found.keys()), [tuple(row) for row in found.fetchall()]
        if kept:
            rows[table.name] = (columns, kept)
    return Past(names, rows)
