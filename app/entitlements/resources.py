"""Resources: what the host product makes for a customer, as many as the plan allows. Acquired, and released again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock
from app.entitlements import plan_now, refusals, team
from app.entitlements.models import Resource, ResourceCount
from app.entitlements.plan_now import PlanNow
from app.errors import Invalid, NotFound, Refusal


@dataclass(frozen=True, slots=True)
class Acquired:
    """A resource the customer holds. `is_new`: acquired now. `in_use` includes it; `limit` None is no limit."""

    kind: str
    id: str
    is_new: bool
    in_use: int
    limit: int | None


def acquire(session: Session, customer_id: str, kind: str, resource_id: str, *, actor: str) -> Acquired:
    """Hold one more of `kind`; the same id again is the same one, also beyond the limit (SPEC U5).

    Raises NotFound for a kind no plan limits, Invalid for the team, which is counted by itself, LimitReached and
    SubscriptionRestricted. Exact however many ask at once: the limit is part of the write.
    """
    now = plan_now.of(session, customer_id)
    _refuse_unknown(now, kind)
    limit = now.amount("count", kind)
    if not _put(session, customer_id, kind, resource_id, actor):
        return Acquired(kind, resource_id, False, in_use(session, customer_id).get(kind, 0), limit)
    count = None if now.is_restricted else _one_more(session, customer_id, kind, limit)
    if count is None:
        _take(session, customer_id, kind, resource_id)  # as it was, whatever the caller makes of the refusal
        raise _refusal(now, kind, limit, in_use(session, customer_id).get(kind, 0))
    activity.record(session, actor, "resource.acquired", resource_id, customer_id=customer_id, kind=kind)
    return Acquired(kind, resource_id, True, count, limit)


def release(session: Session, customer_id: str, kind: str, resource_id: str, *, actor: str) -> bool:
    """Hold it no longer; whether it was held. Raises NotFound for a kind no plan limits."""
    if not _take(session, customer_id, kind, resource_id):
        _refuse_unknown(plan_now.of(session, customer_id), kind)
        return False
    one_less = update(ResourceCount).where(ResourceCount.customer_id == customer_id, ResourceCount.kind == kind)
    session.execute(one_less.values(in_use=ResourceCount.in_use - 1).execution_options(**_UNSEEN))
    activity.record(session, actor, "resource.released", resource_id, customer_id=customer_id, kind=kind)
    return True


def in_use(session: Session, customer_id: str) -> dict[str, int]:
    """How many resources of each kind the customer holds. One SELECT of as many rows as there are kinds."""
    mine = select(ResourceCount.kind, ResourceCount.in_use).where(ResourceCount.customer_id == customer_id)
    return {row.kind: row.in_use for row in session.execute(mine)}


def held(session: Session, now: PlanNow) -> dict[str, int]:
    """How many there are of everything that plans count: resources, and the team's seats. Two SELECTs at most."""
    customer_id = now.standing.customer_id
    found = in_use(session, customer_id)
    if now.speaks_of("count", team.SEATS):
        found[team.SEATS] = team.in_use(session, customer_id)
    return found


_UNSEEN = {"synchronize_session": False}  # no row of these is kept in the session


def _refuse_unknown(now: PlanNow, kind: str) -> None:
    if kind == team.SEATS:
        raise Invalid("Members and open invitations are counted by themselves: invite on the team page.", field="kind")
    if not now.speaks_of("count", kind):
        raise NotFound("No plan limits how many of these there are.", field="kind")


def _put(session: Session, customer_id: str, kind: str, resource_id: str, actor: str) -> bool:
    """Whether the resource is new. A second one who acquires the same waits here until the first one has ended."""
    row = {"acquired_by": actor, "acquired_at": clock.now()}
    put = insert(Resource).values(customer_id=customer_id, kind=kind, id=resource_id, **row)
    return session.scalar(put.on_conflict_do_nothing().returning(Resource.id)) is not None


def _take(session: Session, customer_id: str, kind: str, resource_id: str) -> bool:
    """Whether the resource was there."""
    mine = (Resource.customer_id == customer_id, Resource.kind == kind, Resource.id == resource_id)
    gone = delete(Resource).where(*mine).returning(Resource.id).execution_options(**_UNSEEN)
    return session.scalar(gone) is not None


def _refusal(now: PlanNow, kind: str, limit: int | None, used: int) -> Refusal:
    if now.is_restricted:
        return refusals.restricted(now, feature=kind, limit=limit, used=used)
    return refusals.full(now, kind, limit or 0, used)


def _one_more(session: Session, customer_id: str, kind: str, limit: int | None) -> int | None:
    """The count with one more in it; None where the limit does not allow one more."""
    if limit is not None and limit < 1:
        return None
    put = insert(ResourceCount).values(customer_id=customer_id, kind=kind, in_use=1)
    put = put.on_conflict_do_update(
        index_elements=["customer_id", "kind"],
        set_={"in_use": ResourceCount.in_use + 1},
        where=None if limit is None else ResourceCount.in_use < limit,
    )
    found: int | None = session.scalar(put.returning(ResourceCount.in_use))
    return found
