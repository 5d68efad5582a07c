"""Members: the users of a customer and what each may do. The last owner cannot go."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import activity, clock
from app.customers.models import PERMISSIONS, ApiKey, Customer, Invitation, Membership
from app.errors import Conflict, Invalid, NotFound
from app.people.models import LoginSession, User


class LastOwner(Conflict):
    """A customer without an owner could never be managed again."""

    code = "LAST_OWNER"


@dataclass(frozen=True)
class Member:
    """A line of the team page."""

    user_id: str
    name: str
    email: str
    permission: str
    last_seen: object
    keys: int  # living API keys they made


def allows(permission: str | None, wanted: str) -> bool:
    """Whether one permission includes another: owner ⊃ write ⊃ read. None includes nothing."""
    if permission is None:
        return False
    return PERMISSIONS.index(permission) >= PERMISSIONS.index(wanted)


def join(session: Session, customer_id: str, user: User, permission: str, *, actor: str) -> Membership:
    """Make the user a member. Raises Invalid for an unknown permission, Conflict for one who is a member already."""
    _known(permission)
    if session.get(Membership, (customer_id, user.id)) is not None:
        raise Conflict(f"{user.name} is a member already.")
    member = Membership(customer_id=customer_id, user_id=user.id, permission=permission, created_at=clock.now())
    session.add(member)
    session.flush()
    activity.record(session, actor, "member.joined", user.id, customer_id=customer_id, permission=permission)
    return member


def change(session: Session, customer_id: str, user_id: str, permission: str, *, actor: str) -> Membership:
    """Another permission, from the next request on, for their API keys too. Raises NotFound, Invalid, LastOwner."""
    _known(permission)
    member = _locked(session, customer_id, user_id)
    if member.permission == "owner" and permission != "owner":
        _refuse_last_owner(session, customer_id)
        _withdraw_invitations(session, customer_id, user_id)
    before, member.permission = member.permission, permission
    activity.record(session, actor, "member.changed", user_id, customer_id=customer_id, before=before, after=permission)
    return member


def remove(session: Session, customer_id: str, user_id: str, *, actor: str, adopt_keys: bool = False) -> None:
    """End the membership, effective on the next request. Raises NotFound, LastOwner.

    The API keys the member made stop with them, unless the actor, an owner, takes them over (`adopt_keys`): a key
    may never do more than the person who answers for it. Their open invitations are withdrawn.
    """
    member = _locked(session, customer_id, user_id)
    if member.permission == "owner":
        _refuse_last_owner(session, customer_id)
        _withdraw_invitations(session, customer_id, user_id)
    keys = list(
        session.scalars(
            select(ApiKey).where(
                ApiKey.customer_id == customer_id, ApiKey.created_by == user_id, ApiKey.revoked_at.is_(None)
            )
        )
    )
    for key in keys:
        if adopt_keys and actor != user_id:
            key.created_by = actor
        else:
            key.revoked_at = clock.now()
    session.delete(member)
    activity.record(
        session,
        actor,
        "member.removed",
        user_id,
        customer_id=customer_id,
        keys=[key.id for key in keys],
        keys_kept=adopt_keys and actor != user_id,
    )


def of_customer(session: Session, customer_id: str) -> list[Member]:
    """The team, owners first, then by name."""
    seen = (
        select(func.max(LoginSession.last_seen_at))
        .where(LoginSession.user_id == User.id)
        .correlate(User)
        .scalar_subquery()
    )
    keys = (
        select(func.count())
        .where(ApiKey.customer_id == customer_id, ApiKey.created_by == User.id, ApiKey.revoked_at.is_(None))
        .correlate(User)
        .scalar_subquery()
    )
    rows = session.execute(
        select(User.id, User.name, User.email, Membership.permission, seen, keys)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.customer_id == customer_id)
        .order_by(func.lower(User.name), User.id)
    )
    return sorted((Member(*row) for row in rows), key=lambda member: member.permission != "owner")


def of_user(session: Session, user_id: str) -> list[tuple[str, str]]:
    """Ids and names of the customers this user belongs to, the oldest membership first."""
    rows = session.execute(
        select(Customer.id, Customer.name)
        .join(Membership, Membership.customer_id == Customer.id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.created_at, Customer.id)
    )
    return [(row.id, row.name) for row in rows]


def permission_of(session: Session, customer_id: str, user_id: str) -> str | None:
    """What this user may do for this customer; None when they are no member."""
    found = select(Membership.permission).where(Membership.customer_id == customer_id, Membership.user_id == user_id)
    return session.scalar(found)


def _known(permission: str) -> None:
    if permission not in PERMISSIONS:
        raise Invalid("Choose what this person may do.", field="permission")


def _locked(session: Session, customer_id: str, user_id: str) -> Membership:
    # The customer's row is the lock: two owners who remove each other at once must queue, or none would be left.
    session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())
    member = session.get(Membership, (customer_id, user_id), populate_existing=True)
    if member is None:
        raise NotFound("There is no such member.")
    return member


def _withdraw_invitations(session: Session, customer_id: str, user_id: str) -> None:
    """Only owners invite: what one has offered ends with being one, or a second address of theirs is a way back in."""
    theirs = (
        Invitation.customer_id == customer_id,
        Invitation.invited_by == user_id,
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
    )
    ended = update(Invitation).where(*theirs).values(withdrawn_at=clock.now())
    session.execute(ended.execution_options(synchronize_session=False))


def _refuse_last_owner(session: Session, customer_id: str) -> None:
    owners = session.scalar(
        select(func.count())
        .select_from(Membership)
        .where(Membership.customer_id == customer_id, Membership.permission == "owner")
    )
    if owners == 1:
        raise LastOwner("A customer needs an owner. Make someone else owner first.", field="permission")
