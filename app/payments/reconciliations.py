"""Reconciliations as rows: asked for, begun by one worker at a time, ended with a report. What they do is a flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock, ids, place
from app.errors import Conflict, NotFound
from app.payments.reconciliation_table import Reconciliation

LEASE = timedelta(minutes=15)  # well over the longest run: one that is older has lost its process
MOST_CHANGES = 200  # kept with one run; how many there were is kept too
_KEPT = timedelta(days=90)  # runs that changed nothing; the others stay


@dataclass(slots=True)
class Report:
    """What a run found. `is_whole` is false once something that can be read was not."""

    looked_at: dict[str, int] = field(default_factory=dict)
    changed: list[dict[str, Any]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    told_until: datetime | None = None
    walked_to: str = ""
    is_whole: bool = True

    def looked(self, what: str, count: int = 1) -> None:
        """`count` more of these were read."""
        self.looked_at[what] = self.looked_at.get(what, 0) + count

    def missed(self, sentence: str) -> None:
        """Something could not be read this time."""
        self.is_whole = False
        if sentence not in self.unread:
            self.unread.append(sentence)


def ask(session: Session, channel: str, *, actor: str) -> Reconciliation:
    """A run that the worker takes up at once. Raises Conflict while one of this channel is under way."""
    end_broken_off(session, channel)
    row = _row(channel, actor, "asked")
    if not _inserted(session, row):
        raise Conflict("A reconciliation of this channel is under way already.", channel=channel)
    activity.record(session, actor, "reconciliation.asked", row["id"], channel=channel)
    return one(session, row["id"])


def begin(session: Session, channel: str, *, actor: str) -> Reconciliation | None:
    """The run that was asked for, or a new one, as running; None while another process has one."""
    end_broken_off(session, channel)
    now = clock.now()
    waits = (Reconciliation.channel == channel, Reconciliation.state == "asked")
    taken = update(Reconciliation).where(*waits).values(state="running", started_at=now)
    found = session.execute(taken.returning(Reconciliation.id)).scalar_one_or_none()
    if found is None:
        row = _row(channel, actor, "running") | {"started_at": now}
        if not _inserted(session, row):
            return None
        found = row["id"]
        if actor != "system":
            activity.record(session, actor, "reconciliation.asked", row["id"], channel=channel)
    run = one(session, found)
    run.since = told_until(session, channel)
    session.flush()
    return run


def end(session: Session, run_id: str, report: Report) -> Reconciliation:
    """Write down what was found. One that was taken for broken off meanwhile is ended all the same."""
    run = one(session, run_id)
    run.state, run.ended_at = "done" if report.is_whole else "incomplete", clock.now()
    run.looked_at, run.unread = dict(report.looked_at), list(report.unread)
    run.changed, run.change_count = report.changed[:MOST_CHANGES], len(report.changed)
    run.told_until, run.walked_to = report.told_until, report.walked_to
    if report.changed:
        count = len(report.changed)
        activity.record(session, "system", "reconciliation.repaired", run.id, channel=run.channel, changes=count)
    old = (Reconciliation.asked_at < clock.now() - _KEPT, Reconciliation.change_count == 0)
    session.execute(delete(Reconciliation).where(Reconciliation.channel == run.channel, *old))
    session.flush()
    return run


def end_broken_off(session: Session, channel: str) -> None:
    """Put away a run whose process is gone, so that another can begin."""
    late = (Reconciliation.state == "running", Reconciliation.started_at < clock.now() - LEASE)
    gone = update(Reconciliation).where(Reconciliation.channel == channel, *late)
    session.execute(gone.values(state="broken_off", ended_at=clock.now()))


def told_until(session: Session, channel: str) -> datetime | None:
    """Up to when this channel's events are known; None before the first run."""
    known = (Reconciliation.channel == channel, Reconciliation.told_until.is_not(None))
    latest = select(Reconciliation.told_until).where(*known).order_by(Reconciliation.started_at.desc())
    return session.scalar(latest.limit(1))


def walked_to(session: Session, channel: str) -> str:
    """Where the last run stopped to read refunds; "" for the start."""
    ended = (Reconciliation.channel == channel, Reconciliation.state.in_(("done", "incomplete")))
    latest = select(Reconciliation.walked_to).where(*ended).order_by(Reconciliation.started_at.desc())
    return session.scalar(latest.limit(1)) or ""


def is_asked_for(session: Session, channel: str) -> bool:
    """Whether somebody waits for a run."""
    waits = (Reconciliation.channel == channel, Reconciliation.state == "asked")
    return session.scalar(select(Reconciliation.id).where(*waits).limit(1)) is not None


def last_begun(session: Session, channel: str) -> datetime | None:
    """When this channel was last looked at, whatever came of it."""
    mine = select(Reconciliation.started_at).where(
        Reconciliation.channel == channel, Reconciliation.started_at.is_not(None)
    )
    return session.scalar(mine.order_by(Reconciliation.started_at.desc()).limit(1))


def one(session: Session, run_id: str) -> Reconciliation:
    """Raises NotFound."""
    found = session.get(Reconciliation, run_id, populate_existing=True)
    if found is None:
        raise NotFound("There is no such reconciliation.", reconciliation_id=run_id)
    return found


def page(
    session: Session, *, channel: str = "", before: Reconciliation | None = None, limit: int = 25
) -> Sequence[Reconciliation]:
    """Runs, newest first, of one channel or of all, older than `before`."""
    wanted = select(Reconciliation)
    if channel:
        wanted = wanted.where(Reconciliation.channel == channel)
    if before is not None:
        wanted = wanted.where(place.beyond(Reconciliation.asked_at, Reconciliation.id, before.asked_at, before.id))
    newest_first = wanted.order_by(Reconciliation.asked_at.desc(), Reconciliation.id.desc())
    return list(session.scalars(newest_first.limit(limit)))


def _row(channel: str, actor: str, state: str) -> dict[str, Any]:
    return {
        "id": ids.new("rec"),
        "channel": channel,
        "state": state,
        "asked_by": actor,
        "asked_at": clock.now(),
        "walked_to": "",
        "looked_at": {},
        "changed": [],
        "change_count": 0,
        "unread": [],
    }


def _inserted(session: Session, row: dict[str, Any]) -> bool:
    """Whether none of this channel was under way: the index over those is unique."""
    added = insert(Reconciliation).values(row).on_conflict_do_nothing().returning(Reconciliation.id)
    return session.execute(added).scalar_one_or_none() is not None
