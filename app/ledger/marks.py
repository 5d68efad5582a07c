"""Marks: up to which leg the roll-ups and the incremental audit have come, without missing one still being written.

On SQLite one writer at a time numbers legs by rowid, so the highest number is final. On PostgreSQL a transaction may
commit a lower number after a higher one is visible: the highest number seen becomes the mark only once every
transaction that was running when it was seen has ended. Nobody is locked out for that; the mark just lags one round.

"Was running" needs care. A snapshot's xmax is the first id that had not *completed*, so transactions with that id and
higher ones may well be running. This transaction's own id is the bound: whoever holds a number up to the one seen wrote
an entry before it, so has an id, and got that before this transaction got its own, provided that the number is read
first. Where this transaction already has an id when it comes here, it looks, but notes nothing new.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

_SEEN = {
    "sqlite": "SELECT coalesce(max(rowid), 0), 1 FROM ledger_leg",
    "postgresql": (
        "SELECT coalesce((SELECT last_value FROM ledger_leg_number WHERE is_called), 0), "
        "pg_current_xact_id_if_assigned() IS NULL"
    ),
}
_RUNNING = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint"
_MARK = {
    "sqlite": "SELECT number, seen, seen_until FROM ledger_mark WHERE name = :name",
    "postgresql": "SELECT number, seen, seen_until FROM ledger_mark WHERE name = :name FOR UPDATE",
}


def number_column(session: Session) -> str:
    """The column that numbers legs in order of writing."""
    return "rowid" if session.get_bind().dialect.name == "sqlite" else "number"


def mark(session: Session, name: str) -> int:
    """How far the work of this name has come."""
    return session.scalar(text("SELECT number FROM ledger_mark WHERE name = :name"), {"name": name}) or 0


def after(session: Session, name: str) -> tuple[str, dict[str, Any]]:
    """SQL for a leg `l` that the work of this name has not come to, and its parameters.

    The mark is read by the statement itself, so that what was added up and what comes after belong together. That it is
    near the end PostgreSQL cannot foresee, and would read every leg there is: so it is told one that was read just
    before, which the other is never below.
    """
    column = f"l.{number_column(session)}"
    sql = f"{column} > coalesce((SELECT number FROM ledger_mark WHERE name = :mark), 0)"
    if session.get_bind().dialect.name == "sqlite":
        return sql, {"mark": name}
    return f"{sql} AND {column} > :at_least", {"mark": name, "at_least": mark(session, name)}


def horizon(session: Session, name: str) -> tuple[int, int]:
    """(how far this work has come, up to where it may go now). Locks the mark; notes what is seen for next time."""
    dialect = session.get_bind().dialect.name
    now_seen, comes_first = session.execute(text(_SEEN[dialect])).one()
    session.execute(
        text("INSERT INTO ledger_mark (name, number, seen, seen_until) VALUES (:name, 0, 0, 0) ON CONFLICT DO NOTHING"),
        {"name": name},
    )
    done, seen, until = session.execute(text(_MARK[dialect]), {"name": name}).one()
    if dialect == "sqlite":
        return done, max(done, now_seen)
    oldest_running, own = session.execute(text(_RUNNING)).one()
    if oldest_running < until:
        return done, done
    if comes_first and now_seen >= seen:
        session.execute(
            text("UPDATE ledger_mark SET seen = :seen, seen_until = :until WHERE name = :name"),
            {"seen": now_seen, "until": own, "name": name},
        )
    return done, max(done, seen)


def advance(session: Session, name: str, number: int) -> None:
    """Note that everything up to this leg is done."""
    session.execute(
        text("UPDATE ledger_mark SET number = :number WHERE name = :name"), {"number": number, "name": name}
    )
