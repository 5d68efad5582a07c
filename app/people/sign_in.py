"""Proving who one is with a password. Unknown address, wrong password and disabled user get one answer, in one time."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.errors import Refusal
from app.people import passwords, users
from app.people.models import User


class SignInRefused(Refusal):
    """We do not say which of the two was wrong: that would tell strangers who has an account."""

    code = "SIGN_IN_REFUSED"


def check(session: Session, email: str, password: str) -> User:
    """The user whose password this is. Raises SignInRefused.

    Costs one password check whatever the outcome, so call it outside of a transaction.
    """
    user = users.by_email(session, email)
    right = passwords.matches(password, user.password_hash if user else None)
    if user is None or not right or user.disabled_at is not None:
        raise SignInRefused("Email and password do not match", field="password")
    return user


def renewed_hash(user: User, password: str) -> str | None:
    """A hash at today's cost, when the stored one is cheaper; None when it is good as it is."""
    stale = user.password_hash is not None and passwords.needs_rehash(user.password_hash)
    return passwords.hashed(password) if stale else None
