"""Notes of runs: made after every run, written now and then, so that keeping them costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app.jobs.models import WorkerTask

LONGEST_ERROR = 500
_NEWS = 5.0  # seconds between two writes of one task that has something to tell
_NOTHING_NEW = 60.0  # and of one that has not


@dataclass(frozen=True, slots=True)
class Note:
    """One run of a task: how much it did, or the error that ended it, and when the next is due."""

    name: str
    at: datetime
    took_ms: int
    did: int = 0
    error: str = ""
    next_at: datetime | None = None

    @property
    def outcome(self) -> str:
        return "failed" if self.error else "did" if self.did else "idle"


class Notes:
    """The notes of one task. What it did is added up until it is written; writing is `write`, with a session."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._written: float | None = None
        self._waiting: Note | None = None

    def due(self, note: Note) -> Note | None:
        """What is to be written after this run, if anything is: news within seconds, that it lives once a minute."""
        kept = self._waiting
        if kept is not None and note.outcome == "idle":
            # Nobody has read yet what the runs before this one did; that stands until it is written.
            note = Note(kept.name, kept.at, kept.took_ms, kept.did, kept.error, note.next_at)
        elif kept is not None and kept.outcome == note.outcome == "did":
            note = Note(note.name, note.at, note.took_ms + kept.took_ms, note.did + kept.did, "", note.next_at)
        self._waiting = None if note.outcome == "idle" else note
        pause = _NOTHING_NEW if self._waiting is None else _NEWS
        if self._written is not None and self._now() - self._written < pause:
            return None
        self._waiting, self._written = None, self._now()
        return note


def keep(session: Session, notes: Sequence[Note]) -> None:
    """Write notes, one for each task, over the ones before. What it did last and what broke it last stay known."""
    if not notes:
        return
    told = insert(WorkerTask).values([_row(note) for note in notes])
    new = told.excluded
    session.execute(
        told.on_conflict_do_update(
            index_elements=["name"],
            set_={
                **{name: new[name] for name in ("ran_at", "took_ms", "outcome", "did", "error", "next_at")},
                "did_at": _known(new.did_at, WorkerTask.did_at),
                "failed_at": _known(new.failed_at, WorkerTask.failed_at),
            },
        )
    )


def _row(note: Note) -> dict[str, Any]:
    ended = note.at + timedelta(milliseconds=note.took_ms)
    return {
        "name": note.name,
        "ran_at": note.at,
        "took_ms": note.took_ms,
        "outcome": note.outcome,
        "did": note.did,
        "did_at": ended if note.did else None,
        "error": note.error[:LONGEST_ERROR] or None,
        "failed_at": ended if note.error else None,
        "next_at": note.next_at,
    }


def _known(new: Any, old: Any) -> Any:
    return func.coalesce(new, old)
