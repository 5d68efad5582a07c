"""Staff: users who may enter the back office, and switching users off."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, clock
from app.errors import Invalid
from app.people import sessions
from app.people.models import STAFF_ROLES, User


def set_role(session: Session, user: User, role: str | None, *, actor: str) -> None:
    """Give a staff role (support, finance, admin) or take it away with None. Raises Invalid.

    The user's sessions end: what a session may do never changes under it (ASVS 7.2.4).
    """
    if role is not None and role not in STAFF_ROLES:
        raise Invalid(f"A staff role is one of {', '.join(STAFF_ROLES)}.", field="role")
    before, user.staff_role = user.staff_role, role
    sessions.end_all(session, user.id)
    activity.record(session, actor, "user.staff_role_changed", user.id, before=before, after=role)


def disable(session: Session, user: User, *, actor: str) -> None:
    """Switch a user off: sessions end now, and the keys they made stop with them (ASVS 7.4.2)."""
    user.disabled_at = clock.now()
    ended = sessions.end_all(session, user.id)
    activity.record(session, actor, "user.disabled", user.id, sessions_ended=ended)


def enable(session: Session, user: User, *, actor: str) -> None:
    """Let a disabled user sign in again."""
    user.disabled_at = None
    activity.record(session, actor, "user.enabled", user.id)


def admins(session: Session) -> Sequence[User]:
    """Who sets things up, and is told what is missing."""
    mine = select(User).where(User.staff_role == "admin", User.disabled_at.is_(None))
    return session.scalars(mine.order_by(User.id)).all()
