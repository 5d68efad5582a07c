"""Numbers of invoices and credit notes: one series for each calendar year in UTC, without gaps (SPEC I1)."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import case
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock
from app.invoices.models import NumberSeries


def give(session: Session, prefix: str) -> tuple[str, datetime]:
    """The next number, "INV-2026-0001", and the instant it is given under, never before that of the number before it.

    The series is locked until the commit: whoever asks meanwhile waits, and a rollback gives the number back. So this
    is asked for as late as can be, invoices before credit notes, and before any wallet is locked.
    """
    now = clock.now()
    name = f"{prefix}-{now.astimezone(UTC):%Y}"
    first = insert(NumberSeries).values(name=name, last=1, last_at=now)
    told = first.excluded.last_at
    later = case((told > NumberSeries.last_at, told), else_=NumberSeries.last_at)
    given = session.execute(
        first.on_conflict_do_update(index_elements=["name"], set_={"last": NumberSeries.last + 1, "last_at": later})
        .returning(NumberSeries.last, NumberSeries.last_at)
        .execution_options(populate_existing=True)
    ).one()
    return f"{name}-{given.last:04d}", given.last_at
