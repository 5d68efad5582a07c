"""Moves for pages: those of a plan, how far one is, and its subscribers one by one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.moves.models import MovedSubscriber, VersionMove
from app.subscriptions.models import SubscriptionChange

# How it stands with a subscriber, as staff read it: `told` waits for its time, `arranged` for the period's end.
STANDINGS = ("waiting", "told", "arranged", "moved", "left", "stopped")


@dataclass(frozen=True, slots=True)
class Row:
    """A customer of a move. `at`: when the new terms begin or began, where that is known."""

    customer_id: str
    standing: str
    why: str | None
    at: datetime | None
    before_minor: int | None
    after_minor: int | None
    currency: str | None


def one(session: Session, plan_id: str, move_id: str) -> VersionMove:
    """One move of this plan. Raises NotFound."""
    found = session.get(VersionMove, move_id)
    if found is None or found.plan_id != plan_id:
        raise NotFound("There is no such move.")
    return found


def of_plan(session: Session, plan_id: str, limit: int = 8) -> list[VersionMove]:
    """The latest, newest first."""
    mine = select(VersionMove).where(VersionMove.plan_id == plan_id)
    return list(session.scalars(mine.order_by(VersionMove.created_at.desc(), VersionMove.id.desc()).limit(limit)))


def under_way(plan_id: str, version: int) -> Select[str]:
    """The customers of this version who wait in a move already; a SELECT to be part of another."""
    of_these = and_(VersionMove.plan_id == plan_id, VersionMove.from_version == version)
    waiting = select(MovedSubscriber.customer_id).join(VersionMove, VersionMove.id == MovedSubscriber.move_id)
    return waiting.where(of_these, MovedSubscriber.state == "waiting")


def how_many_wait(
    session: Session, plan_id: str, version: int, customers: Collection[str] | None
) -> tuple[int, str | None]:
    """How many these are, or of `customers` among them, and one of them."""
    found = under_way(plan_id, version)
    if customers is not None:
        found = found.where(MovedSubscriber.customer_id.in_(customers))
    ids = found.subquery()
    count, example = session.execute(select(func.count(), func.min(ids.c.customer_id)).select_from(ids)).one()
    return count, example


def counts(session: Session, move_id: str) -> dict[str, int]:
    """How many stand how. One SELECT."""
    standing = _standing()
    joined = select(standing, func.count()).outerjoin(SubscriptionChange, _ITS_CHANGE)
    rows = session.execute(joined.where(MovedSubscriber.move_id == move_id).group_by(standing))
    return {str(row[0]): int(row[1]) for row in rows}


def page(
    session: Session, move_id: str, *, standing: str = "", after: str = "", limit: int = 50
) -> tuple[list[Row], str]:
    """Subscribers by customer id from the one after `after` on, and the last id when there are more."""
    m, c = MovedSubscriber, SubscriptionChange
    why = case((_dropped(), func.coalesce(c.failure, literal("The change was taken back."))), else_=m.why)
    at = case((c.state.in_(("scheduled", "applied")), c.effective_at), else_=m.effective_at)
    money = (m.price_before_minor, m.price_after_minor, m.currency)
    mine = select(m.customer_id, _standing(), why, at, *money).outerjoin(c, _ITS_CHANGE)
    mine = mine.where(m.move_id == move_id, m.customer_id > after)
    if standing:
        mine = mine.where(_standing() == standing)
    rows = session.execute(mine.order_by(m.customer_id).limit(limit + 1)).all()
    found = [Row(*row) for row in rows[:limit]]
    return found, found[-1].customer_id if len(rows) > limit else ""


_ITS_CHANGE = and_(
    SubscriptionChange.customer_id == MovedSubscriber.customer_id, SubscriptionChange.id == MovedSubscriber.change_id
)


def _dropped() -> ColumnElement[bool]:
    """Whether it was arranged, and then came to nothing: the customer chose something else, or left."""
    return and_(MovedSubscriber.state == "arranged", SubscriptionChange.state.in_(("undone", "failed", "expired")))


def _standing() -> ColumnElement[str]:
    m = MovedSubscriber
    return case(
        (and_(m.state == "arranged", SubscriptionChange.state == "applied"), "moved"),
        (_dropped(), "left"),
        (m.state == "stopping", "waiting"),
        (and_(m.state == "waiting", m.told_at.is_not(None)), "told"),
        else_=m.state,
    )
