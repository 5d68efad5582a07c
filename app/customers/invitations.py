"""Invitations: an offer of membership, mailed as a link that is good for seven days and for one person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.customers import members
from app.customers.models import PERMISSIONS, Customer, Invitation, Membership
from app.errors import Conflict, Invalid, NotFound, Refusal
from app.people import addresses, tokens
from app.people.models import User

LIFETIME = timedelta(days=7)
MOST_OPEN = 100  # per customer: our mail must not become someone's mass mailing


class InvitationDead(Refusal):
    """Accepted, withdrawn or expired, or never one of ours."""

    code = "INVITATION_EXPIRED"


@dataclass(frozen=True)
class Offer:
    """What the page behind the link shows."""

    customer_id: str
    customer_name: str
    email: str
    permission: str
    invited_by: str
    has_account: bool


def invite(session: Session, customer_id: str, email: str, permission: str, *, actor: str) -> tuple[Invitation, str]:
    """An invitation and the secret of its link, to be mailed. An older open one to the same mailbox is replaced.

    Raises AddressInvalid, Invalid, Conflict for a member.
    """
    address = addresses.clean(email)
    if permission not in PERMISSIONS:
        raise Invalid("Choose what this person may do.", field="permission")
    member = select(Membership.user_id).join(User, User.id == Membership.user_id)
    mine = (Membership.customer_id == customer_id, User.email_key == addresses.key(address))
    if session.scalar(member.where(*mine)):
        raise Conflict("This person is a member already.", field="email")
    if len(open_of(session, customer_id)) >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} invitations are open. Withdraw some first.", field="email")
    same = and_(Invitation.customer_id == customer_id, Invitation.email_key == addresses.key(address), is_open())
    session.execute(update(Invitation).where(same).values(withdrawn_at=clock.now()))
    token = tokens.fresh()
    invitation = Invitation(
        customer_id=customer_id,
        id=ids.new("inv"),
        email=address,
        email_key=addresses.key(address),
        permission=permission,
        token_hash=tokens.hashed(token),
        invited_by=actor,
        created_at=clock.now(),
        expires_at=clock.now() + LIFETIME,
    )
    session.add(invitation)
    activity.record(
        session, actor, "invitation.sent", invitation.id, customer_id=customer_id, email=address, permission=permission
    )
    return invitation, token


def look(session: Session, token: str) -> Offer:
    """What the link offers. Looking uses nothing up. Raises InvitationDead."""
    inviter, known = User.__table__.alias("inviter"), User.__table__.alias("known")
    row = session.execute(
        select(Invitation, Customer.name, inviter.c.name.label("inviter_name"), known.c.id.label("known_id"))
        .join(Customer, Customer.id == Invitation.customer_id)
        .outerjoin(inviter, inviter.c.id == Invitation.invited_by)
        .outerjoin(known, known.c.email_key == Invitation.email_key)
        .where(Invitation.token_hash == tokens.hashed(token), is_open())
    ).first()
    if row is None:
        raise _dead()
    offer: Invitation = row.Invitation
    return Offer(
        customer_id=offer.customer_id,
        customer_name=row.name,
        email=offer.email,
        permission=offer.permission,
        invited_by=row.inviter_name or "The team",
        has_account=row.known_id is not None,
    )


def accept(session: Session, token: str, user: User) -> Invitation:
    """Become a member. Raises InvitationDead; of two who accept at once, one gets in. Raises Conflict for a member."""
    taken = update(Invitation).where(Invitation.token_hash == tokens.hashed(token), is_open())
    row = session.execute(
        taken.values(accepted_at=clock.now(), accepted_by=user.id)
        .returning(Invitation.customer_id, Invitation.id)
        .execution_options(synchronize_session=False)
    ).first()
    if row is None:
        raise _dead()
    invitation = session.get_one(Invitation, (row.customer_id, row.id), populate_existing=True)
    members.join(session, invitation.customer_id, user, invitation.permission, actor=user.id)
    return invitation


def use_up(session: Session, customer_id: str, user: User) -> str | None:
    """They are about to join in another way: their open invitation has done its work. The permission it offered."""
    theirs = and_(Invitation.customer_id == customer_id, Invitation.email_key == user.email_key, is_open())
    used = update(Invitation).where(theirs).values(accepted_at=clock.now(), accepted_by=user.id)
    offered = session.scalars(used.returning(Invitation.permission).execution_options(synchronize_session=False)).all()
    return offered[0] if offered else None


def withdraw(session: Session, customer_id: str, invitation_id: str, *, actor: str) -> None:
    """The link stops working. Raises NotFound."""
    mine = and_(Invitation.customer_id == customer_id, Invitation.id == invitation_id, is_open())
    gone = session.scalar(update(Invitation).where(mine).values(withdrawn_at=clock.now()).returning(Invitation.id))
    if gone is None:
        raise NotFound("There is no such invitation.")
    activity.record(session, actor, "invitation.withdrawn", invitation_id, customer_id=customer_id)


def open_of(session: Session, customer_id: str) -> list[Invitation]:
    """The invitations still waiting, the newest first."""
    mine = select(Invitation).where(Invitation.customer_id == customer_id, is_open())
    return list(session.scalars(mine.order_by(Invitation.created_at.desc(), Invitation.id.desc())))


def is_open() -> ColumnElement[bool]:
    """An invitation that can still be accepted."""
    return and_(
        Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None), Invitation.expires_at > clock.now()
    )


def _dead() -> InvitationDead:
    return InvitationDead("This invitation was used, withdrawn or is too old. Ask for a new one.")
