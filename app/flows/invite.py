"""Inviting someone to a customer, by mail, and the two ways in: with an account, or by making one."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import notices
from app.customers import invitations
from app.customers.models import Customer, Invitation
from app.db import transaction
from app.entitlements import team
from app.errors import Conflict
from app.people import passwords, users
from app.people.models import User

MAY = {"read": "see everything", "write": "see everything and spend money", "owner": "do everything, as an owner"}


def invite(session: Session, base_url: str, customer_id: str, email: str, permission: str, *, by: User) -> Invitation:
    """Mail an invitation. Raises AddressInvalid, Invalid, Conflict for a member, LimitReached for a full team."""
    with transaction(session):
        invitation, token = team.invite(session, customer_id, email, permission, actor=by.id)
        notices.queue(
            session,
            "invitation",
            invitation.email,
            inviter=by.name,
            customer=session.get_one(Customer, customer_id).name,
            permission=MAY[permission],
            link=f"{base_url}/invitations/{token}",
        )
    return invitation


def accept(session: Session, token: str, user_id: str) -> Invitation:
    """A user who is signed in joins. Raises InvitationDead, Conflict for a member."""
    with transaction(session):
        return invitations.accept(session, token, session.get_one(User, user_id))


def accept_as_new(session: Session, token: str, *, name: str, password: str) -> tuple[User, Invitation]:
    """Someone without an account makes one and joins. The link came by mail, so the address is proven.

    Raises InvitationDead, PasswordRefused, Invalid, Conflict when the address has an account by now.
    """
    offer = invitations.look(session, token)
    passwords.check(password, email=offer.email)
    password_hash = passwords.hashed(password)
    with transaction(session):
        user = users.create(session, name=name, email=offer.email, password_hash=password_hash, verified=True)
        if user is None:
            raise Conflict("You have an account already. Sign in to accept the invitation.", field="name")
        return user, invitations.accept(session, token, user)
