"""The chain: every line of the audit log sealed by a hash over itself and all before it, so that an edit is found.

Writers of the log know nothing of it and wait for nobody. Whoever seals takes the lines that have no seal yet, in the
order of their ids, which is the order of the real time they were made at. A transaction that commits late is met by a
later sealing: it looks a while back each time, and from the start now and then.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, insert, select, text
from sqlalchemy.orm import Session

from app import clock, digest, ids
from app.activity.models import Activity, Seal

NOTHING_BEFORE = "0" * 64
AT_ONCE = 500
LOOKS_BACK = timedelta(minutes=15)
_LOCK = "SELECT pg_advisory_xact_lock(7075727422)"  # any number, as long as it never changes


def seal(session: Session, *, after: str = "", limit: int = AT_ONCE) -> str | None:
    """Seal up to `limit` lines whose id is above `after` and that have no seal; the last one's id, None for none.

    Belongs in a transaction of its own: on PostgreSQL a second sealer waits for its end, so that each line is sealed
    once and the numbers have no gap.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(_LOCK))
    number, previous = head(session)
    lines = list(session.scalars(_unsealed(after).limit(limit)))
    now, rows = clock.now(), []
    for line in lines:
        number += 1
        own = line_hash(line)
        previous = link(previous, number, clock.timestamp(now), own)
        rows.append(
            {
                "number": number,
                "customer_id": line.customer_id,
                "activity_id": line.id,
                "line_hash": own,
                "sealed_at": now,
                "hash": previous,
            }
        )
    if rows:
        session.execute(insert(Seal), rows)
    return lines[-1].id if lines else None


def waits(session: Session, *, after: str = "") -> bool:
    """Whether there is a line above `after` to be sealed."""
    return session.scalar(_unsealed(after).with_only_columns(Activity.id).limit(1)) is not None


def head(session: Session) -> tuple[int, str]:
    """The newest seal's number and hash: worth keeping elsewhere, since no rewriting of the log can keep it."""
    newest = session.execute(select(Seal.number, Seal.hash).order_by(Seal.number.desc()).limit(1)).one_or_none()
    return (newest.number, newest.hash) if newest else (0, NOTHING_BEFORE)


def recent(session: Session) -> str:
    """From which id on to look for lines without a seal: a while before the newest sealed one."""
    newest = session.scalar(select(Seal.activity_id).order_by(Seal.number.desc()).limit(1))
    made = ids.made_at(newest) if newest else None
    return ids.earliest("act", made - LOOKS_BACK) if made else ""


def line_hash(line: Any) -> str:
    """SHA-256 over a whole line, a row or an object with its columns; the same whatever database it was read from."""
    at = line.at.isoformat(timespec="microseconds")
    return digest.of([line.customer_id, line.id, at, line.actor, line.action, line.subject, line.details])


def link(previous: str, number: int, sealed_at: str, line: str) -> str:
    """The hash of a seal of a line that has this hash. `sealed_at` as `clock.timestamp` writes it."""
    return digest.of([previous, number, sealed_at, line])


def _unsealed(after: str) -> Select[Activity]:
    sealed = and_(Seal.customer_id == Activity.customer_id, Seal.activity_id == Activity.id)
    lines = select(Activity).outerjoin(Seal, sealed).where(Seal.number.is_(None))
    if after:
        lines = lines.where(Activity.id > after)
    return lines.order_by(Activity.id)
