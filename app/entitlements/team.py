"""The team as a count limit: members and open invitations, where a plan limits `team_members` (SPEC U5)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.customers import invitations, members
from app.customers.models import Customer, Invitation, Membership
from app.entitlements import plan_now, refusals
from app.errors import Refusal
from app.people.models import User

SEATS = "team_members"  # the key of the count limit


@dataclass(frozen=True, slots=True)
class Fullness:
    """Seats of a team: `used` of `limit` on this plan; `refusal` is what an invitation would come to."""

    plan: str
    limit: int
    used: int
    refusal: Refusal | None


def in_use(session: Session, customer_id: str) -> int:
    """Members, and invitations still waiting: each is a seat that somebody has or may take. One SELECT."""
    people = select(func.count()).select_from(Membership).where(Membership.customer_id == customer_id)
    waiting = select(func.count()).select_from(Invitation)
    waiting = waiting.where(Invitation.customer_id == customer_id, invitations.is_open())
    return int(session.scalar(select(people.scalar_subquery() + waiting.scalar_subquery())) or 0)


def fullness(session: Session, customer_id: str, used: int) -> Fullness | None:
    """How full the team is with `used` seats taken; None where its plan does not limit it."""
    now = plan_now.of(session, customer_id)
    limit = now.amount("count", SEATS) if now.speaks_of("count", SEATS) else None
    if limit is None:
        return None
    refusal: Refusal | None = refusals.full(now, SEATS, limit, used) if used >= limit else None
    if now.is_restricted:
        refusal = refusals.restricted(now, feature=SEATS, limit=limit, used=used)
    return Fullness(now.name, limit, used, refusal)


def invite(session: Session, customer_id: str, email: str, permission: str, *, actor: str) -> tuple[Invitation, str]:
    """An invitation, if there is a seat for it: one in the place of an older one needs none more.

    Raises LimitReached, SubscriptionRestricted, and as `invitations.invite`. Two who invite at once queue for the last
    seat at the customer's row.
    """
    before = _locked(session, customer_id)
    made = invitations.invite(session, customer_id, email, permission, actor=actor)
    session.flush()
    _need_seats(session, customer_id, before)
    return made


def join(session: Session, customer_id: str, user: User, permission: str | None, *, actor: str) -> Membership:
    """Make somebody a member without an invitation, if there is a seat; an open invitation of theirs is one.

    `permission` None: what they were invited for, else write. The first of a customer is its owner, seat or not: a team
    of nobody could not even buy one. Whoever is a member stays what they are. Raises as `invite`.
    """
    before = _locked(session, customer_id)
    known = session.get(Membership, (customer_id, user.id), populate_existing=True)
    if known is not None:  # of two who ask at once, the second finds it done
        return known
    is_first = session.scalar(select(Membership.user_id).where(Membership.customer_id == customer_id).limit(1)) is None
    offered = invitations.use_up(session, customer_id, user)
    chosen = "owner" if is_first else permission or offered or "write"
    made = members.join(session, customer_id, user, chosen, actor=actor)
    if not is_first:
        _need_seats(session, customer_id, before)
    return made


def _locked(session: Session, customer_id: str) -> int:
    """Seats in use, with the customer's row locked."""
    session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())
    return in_use(session, customer_id)


def _need_seats(session: Session, customer_id: str, before: int) -> None:
    """Raises LimitReached or SubscriptionRestricted where more seats are in use than before and the plan has none."""
    after = in_use(session, customer_id)
    now = plan_now.of(session, customer_id)
    if after > before and now.speaks_of("count", SEATS):
        limit = now.amount("count", SEATS)
        if now.is_restricted:
            raise refusals.restricted(now, feature=SEATS, limit=limit, used=before)
        if limit is not None and after > limit:
            raise refusals.full(now, SEATS, limit, before)
