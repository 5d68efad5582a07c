"""One transaction of the sandbox: its moment, its cause, and the objects it reads, makes and changes."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.sandbox.blanks import Object, blank
from app.sandbox.fault import missing
from app.sandbox.ids import new_id

if TYPE_CHECKING:
    from app.sandbox.config import SandboxConfig


_UNDATED = ("discount",)  # kinds that Stripe does not say the making of


@dataclass(frozen=True)
class Cause:
    """The API request behind a change; a person on a page leaves both empty."""

    request_id: str | None = None
    idempotency_key: str | None = None


class Tx:
    """`now` is epoch seconds and the same throughout. `root` is where our pages are, without a slash at the end."""

    def __init__(
        self, connection: sqlite3.Connection, config: SandboxConfig, now: int, root: str, cause: Cause
    ) -> None:
        self.sql, self.config, self.now, self.root, self.cause = connection, config, now, root, cause
        self.faults: list[str] = []  # where an event of ours is not what Stripe describes

    def new(self, kind: str, *, hidden: Object | None = None, **fields: Any) -> Object:
        """Make and keep an object. `hidden` is what only the sandbox knows, such as a card's number."""
        dated = {} if kind in _UNDATED else {"created": self.now}
        made = blank(kind, **{"id": new_id(kind), **dated, **fields})
        self.sql.execute(
            "INSERT INTO objects (id, object, body, hidden) VALUES (?, ?, ?, ?)",
            (made["id"], kind, json.dumps(made), json.dumps(hidden or {})),
        )
        return made

    def find(self, identifier: str | None) -> Object | None:
        """The object of this id, whatever its kind, or None."""
        row = self.sql.execute("SELECT body FROM objects WHERE id = ?", (identifier,)).fetchone()
        return json.loads(row[0]) if row else None

    def get(self, kind: str, identifier: str, param: str = "id") -> Object:
        """The object of this kind and id. Raises the Fault resource_missing, naming the parameter that asked."""
        found = self.find(identifier)
        if found is None or found["object"] != kind:
            raise missing(kind, identifier, param)
        return found

    def change(self, body: Object, **fields: Any) -> Object:
        """Set fields, keep the object, and return what they were: an event's `previous_attributes`."""
        before = {name: _difference(body.get(name), value) for name, value in fields.items() if body.get(name) != value}
        body.update(fields)
        self.sql.execute("UPDATE objects SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))
        return before

    def hidden(self, identifier: str) -> Object:
        """What only the sandbox knows about an object."""
        row = self.sql.execute("SELECT hidden FROM objects WHERE id = ?", (identifier,)).fetchone()
        known: Object = json.loads(row[0]) if row else {}
        return known

    def hide(self, identifier: str, **values: Any) -> None:
        """Remember something about an object that its readers never see."""
        known = {**self.hidden(identifier), **values}
        self.sql.execute("UPDATE objects SET hidden = ? WHERE id = ?", (json.dumps(known), identifier))

    def every(self, kind: str, limit: int = 100, **fields: Any) -> list[Object]:
        """Objects of a kind with these values in their fields (`a__b` is b within a), newest first."""
        paths = [name.replace("__", ".") for name in fields]
        where = "".join(f" AND json_extract(body, '$.{path}') = ?" for path in paths)
        # The kind stands in the text, not among the values, because the indexes of single kinds are found by it.
        query = f"SELECT body FROM objects WHERE object = '{kind}'{where} ORDER BY seq DESC LIMIT ?"  # noqa: S608  # names are ours
        return [json.loads(row[0]) for row in self.sql.execute(query, (*fields.values(), limit))]

    def setting(self, name: str, default: str = "") -> str:
        """A word the console keeps."""
        row = self.sql.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else default

    def set(self, name: str, value: str) -> None:
        """Keep a word for the console."""
        self.sql.execute(
            "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def at(self, due: int, kind: str, identifier: str) -> None:
        """Have something done to an object once the clock reaches `due`."""
        self.sql.execute("INSERT INTO timers (due, kind, object) VALUES (?, ?, ?)", (due, kind, identifier))


def _difference(old: Any, new: Any) -> Any:
    """Of a changed hash, only the keys that changed, as Stripe reports them."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return old
    return {key: old.get(key) for key in sorted({*old, *new}) if old.get(key) != new.get(key)}
