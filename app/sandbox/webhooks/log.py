"""What the console shows of the outbox."""

from __future__ import annotations

from dataclasses import dataclass

from app.sandbox.tx import Tx


@dataclass(frozen=True)
class Row:
    """A delivery with the event it carries and the last answer it got. Times are epoch seconds."""

    id: int
    event: str
    kind: str
    subject: str
    created: int
    state: str
    due: int
    attempts: int
    status: int | None
    said: str | None


@dataclass(frozen=True)
class Attempt:
    """One try, and what the endpoint said; no status means that nobody answered."""

    delivery: int
    url: str
    state: str
    at: int | None
    status: int | None
    said: str | None
    took_ms: int | None


def recent(tx: Tx, *, before: int | None, limit: int) -> list[Row]:
    """Deliveries, newest first, older than the one named."""
    rows = tx.sql.execute(
        """SELECT d.id, d.event, json_extract(e.body, '$.type'), json_extract(e.body, '$.data.object.id'),
             json_extract(e.body, '$.created'), d.state, d.due, d.attempts, a.status, a.said
           FROM deliveries d JOIN objects e ON e.id = d.event
           LEFT JOIN attempts a ON a.id = (SELECT max(id) FROM attempts WHERE delivery = d.id)
           WHERE d.id < ? ORDER BY d.id DESC LIMIT ?""",
        (before if before is not None else 1 << 62, limit),
    )
    return [Row(*row) for row in rows]


def counts(tx: Tx) -> dict[str, int]:
    """How many deliveries are in each state."""
    return dict(tx.sql.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall())


def attempts_of(tx: Tx, event: str) -> list[Attempt]:
    """Every delivery of an event with every try of it, oldest first."""
    rows = tx.sql.execute(
        """SELECT d.id, json_extract(o.body, '$.url'), d.state, a.at, a.status, a.said, a.took_ms
           FROM deliveries d JOIN objects o ON o.id = d.endpoint LEFT JOIN attempts a ON a.delivery = d.id
           WHERE d.event = ? ORDER BY d.id, a.id""",
        (event,),
    )
    return [Attempt(*row) for row in rows]
