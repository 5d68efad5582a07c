"""Letting people into the back office, changing what they may there, taking them out; and the mail that tells them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import notices
from app.customers import api_keys
from app.db import transaction
from app.errors import Conflict, NotFound
from app.people import addresses, email_links, staff, users
from app.people.models import User

_CHOOSE = 'Choose a password here, once and within an hour; later, choose "Forgot it?" on the sign-in page:'
_SIGN_IN = "Sign in here:"


def hire(session: Session, base_url: str, *, name: str, email: str, role: str, by: User) -> User:
    """Make somebody staff, also a user who is there already, and mail them the way in.

    Raises AddressInvalid, Invalid, and Conflict for who is staff already.
    """
    address, actor = addresses.clean(email), f"staff:{by.id}"
    with transaction(session):
        made = users.create(session, name=name, email=address, password_hash=None, verified=True, actor=actor)
        user = made or users.by_email(session, address)
        assert user is not None, "an address that is taken has a user"
        if user.staff_role is not None:
            raise Conflict(f"{user.name} is staff already. Change the role in the list.", field="email")
        users.take_from_stranger(session, user, actor=actor)  # anyone can sign up with any address
        staff.set_role(session, user, role, actor=actor)
        how, link = _SIGN_IN, f"{base_url}/sign-in"
        if user.password_hash is None:
            how, link = _CHOOSE, f"{base_url}/reset-password/{email_links.issue(session, user, 'reset', user.email)}"
        words = {"name": user.name, "inviter": by.name, "role": role, "how": how, "link": link}
        notices.queue(session, "staff_invited", user.email, **words)
    return user


def change_role(session: Session, user_id: str, role: str | None, *, actor: str) -> User:
    """Another role, or with None no longer staff: signed out at once, and the house's keys they made stop.

    Raises NotFound for who is no staff, Invalid for the role, and LastAdmin.
    """
    with transaction(session):
        user = one(session, user_id)
        staff.keep_an_admin(session, user, role)
        if role != user.staff_role:
            staff.set_role(session, user, role, actor=actor)
            api_keys.revoke_made_by(session, user.id, actor=actor, kinds=["staff", "service"])
    return user


def one(session: Session, user_id: str) -> User:
    """A member of staff. Raises NotFound."""
    user = users.by_id(session, user_id)
    if user is None or user.staff_role is None:
        raise NotFound("There is no such member of staff.")
    return user
