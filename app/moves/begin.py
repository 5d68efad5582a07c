"""Beginning a move, and taking it back: every subscriber becomes a row that the worker goes through."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, literal, null, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.catalogue import publish
from app.catalogue.models import Plan
from app.errors import Conflict, Invalid, NotFound
from app.moves.models import MovedSubscriber, VersionMove
from app.moves.work import LEASE
from app.subscriptions.models import Subscription

MOST_NOTICE = 365  # days
MOST_CHOSEN = 500  # customers by name


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is to be moved, and when. `customers` None: all. `times` and `notice_days` as in VersionMove."""

    plan_id: str
    from_version: int
    to_version: int
    customers: tuple[str, ...] | None
    times: str
    notice_days: int


def begin(session: Session, asked: Asked, *, reason: str, actor: str) -> VersionMove:
    """Write down who is to be moved: all who have `from_version` now, or those of `customers` who do.

    Who is in another move at this moment is left to that one, so the same form sent twice moves nobody twice. Raises
    Invalid without a reason, NotFound for a plan that is not there, Conflict where there is nobody to move, or where
    `to_version` is not on offer any more.
    """
    if len(reason.strip()) < 3:
        raise Invalid("Write a reason of 3 characters or more.", field="reason")
    _refuse_what_is_not_on_offer(session, asked.plan_id, asked.to_version)
    publish.mark_sold(session, asked.plan_id, asked.to_version)  # what they were told is not edited any more
    move = _new(asked, reason.strip(), actor)
    session.add(move)
    session.flush()
    move.count = _fill(session, move, asked.customers)
    if not move.count:
        raise Conflict("Nobody is left to move: who has this version is being moved already.")
    told: dict[str, Any] = {"from": asked.from_version, "to": asked.to_version, "times": asked.times}
    _record(session, actor, "begun", move, reason=move.reason, **told, notice_days=asked.notice_days, count=move.count)
    return move


def _new(asked: Asked, reason: str, actor: str) -> VersionMove:
    return VersionMove(
        id=ids.new("mov"),
        plan_id=asked.plan_id,
        from_version=asked.from_version,
        to_version=asked.to_version,
        times=asked.times,
        notice_days=asked.notice_days,
        is_chosen=asked.customers is not None,
        reason=reason,
        count=0,
        state="running",
        created_by=actor,
        created_at=clock.now(),
        finished_at=None,
    )


def _fill(session: Session, move: VersionMove, customers: Collection[str] | None) -> int:
    """A row for each subscriber, all in one statement; how many."""
    s, row = Subscription, MovedSubscriber
    mine = select(
        s.customer_id, literal(move.id), literal("waiting"), literal(0), literal(move.created_at, row.due_at.type)
    )
    mine = mine.where(s.plan_id == move.plan_id, s.version == move.from_version, s.ended_at.is_(None))
    if customers is not None:
        mine = mine.where(s.customer_id.in_(customers))
    columns = [row.customer_id, row.move_id, row.state, row.attempts, row.due_at]
    session.execute(insert(row).from_select(columns, mine).on_conflict_do_nothing())
    return session.scalar(select(func.count()).where(row.move_id == move.id)) or 0


def stop(session: Session, move_id: str, *, actor: str) -> VersionMove:
    """Nobody more is moved; what is announced or arranged is taken back by the worker. Again changes nothing.

    Whose period has begun with the new terms keeps them. Raises NotFound.
    """
    move = session.get(VersionMove, move_id, with_for_update=True, populate_existing=True)
    if move is None:
        raise NotFound("There is no such move.")
    if move.state == "stopped":
        return move
    row, now = MovedSubscriber, clock.now()
    untouched = and_(row.state == "waiting", row.attempts == 0)
    # A worker may have one in hand at this moment: what it does is waited for, and undone then.
    due = case((row.state == "waiting", literal(now + LEASE, row.due_at.type)), else_=literal(now, row.due_at.type))
    session.execute(
        update(row)
        .where(row.move_id == move.id, row.state.in_(("waiting", "arranged")))
        .values(
            state=case((untouched, "stopped"), else_="stopping"),
            due_at=case((untouched, null()), else_=due),
            attempts=case((untouched, row.attempts), else_=row.attempts + 1),
        )
        .execution_options(synchronize_session=False)
    )
    move.state, move.finished_at = "stopped", now
    _record(session, actor, "stopped", move)
    return move


def _refuse_what_is_not_on_offer(session: Session, plan_id: str, number: int) -> None:
    plan = session.scalars(select(Plan).where(Plan.id == plan_id).with_for_update()).one_or_none()
    if plan is None:
        raise NotFound("There is no such plan.")
    if plan.retired_at is not None or plan.current_version != number:
        raise Conflict("Another version is on offer by now. Look at what would happen before you confirm.")


def _record(session: Session, actor: str, word: str, move: VersionMove, **told: Any) -> None:
    session.flush()
    key = session.scalars(select(Plan.key).where(Plan.id == move.plan_id)).one()
    # Filed under the plan, with what else was done to it.
    activity.record(session, actor, f"catalogue.move_{word}", f"plan:{key}", move=move.id, **told)
