"""A move as the worker goes through it: taking one subscriber in hand, and writing down what became of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from app import clock
from app.moves.models import MovedSubscriber, VersionMove

LEASE = timedelta(minutes=5)  # longer than a provider can take; whoever dies leaves the row to the next
_AT_WORK = ("waiting", "stopping")


def is_due(session: Session) -> bool:
    """Whether anything is to be done now. A look alone takes no write lock."""
    due = select(MovedSubscriber.customer_id).where(MovedSubscriber.due_at <= clock.now()).limit(1)
    return session.scalar(due) is not None


def take(session: Session) -> MovedSubscriber | None:
    """The subscriber who waits longest, for nobody else until the lease ends; None where nobody is due."""
    due = (
        select(MovedSubscriber)
        .where(MovedSubscriber.due_at <= clock.now())
        .order_by(MovedSubscriber.due_at, MovedSubscriber.customer_id)
        .limit(1)
        .with_for_update(skip_locked=True)  # SQLite ignores it: there the transaction is the only writer
    )
    row = session.scalars(due.execution_options(populate_existing=True)).one_or_none()
    if row is not None:
        row.due_at, row.attempts = clock.now() + LEASE, row.attempts + 1
        session.flush()
    return row


def write(session: Session, row: MovedSubscriber, turn: int, **values: Any) -> bool:
    """Write down how it went; False where it is somebody else's turn by now, or staff took the move back."""
    mine = update(MovedSubscriber).where(
        MovedSubscriber.customer_id == row.customer_id,
        MovedSubscriber.move_id == row.move_id,
        MovedSubscriber.attempts == turn,
        MovedSubscriber.state == row.state,
    )
    if values.get("state", row.state) not in _AT_WORK:
        values["due_at"] = None
    done = mine.values(**values).returning(MovedSubscriber.customer_id)
    return session.scalar(done.execution_options(synchronize_session=False)) is not None


def end_what_is_done(session: Session, now: datetime) -> int:
    """Moves with nobody left to look at."""
    row = MovedSubscriber
    open_ones = exists().where(row.move_id == VersionMove.id, row.state.in_(_AT_WORK))
    ended = update(VersionMove).where(VersionMove.state == "running", ~open_ones)
    done = ended.values(state="done", finished_at=now).returning(VersionMove.id)
    return len(session.execute(done.execution_options(synchronize_session=False)).all())
