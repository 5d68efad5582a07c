"""Staff: users who may enter the back office, that one of them stays admin, and switching users off."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, clock
from app.errors import Conflict, Invalid
from app.people import sessions
from app.people.models import STAFF_ROLES, User


class LastAdmin(Conflict):
    """Somebody has to be able to let people in."""

    code = "LAST_ADMIN"


def everyone(session: Session, role: str | None = None) -> list[User]:
    """All staff, by name; of one role where given. At most a thousand."""
    mine = select(User).where(User.staff_role.is_not(None) if role is None else User.staff_role == role)
    return list(session.scalars(mine.order_by(User.name, User.id).limit(1000)))


def keep_an_admin(session: Session, user: User, role: str | None) -> None:
    """Raise LastAdmin when this change would leave nobody who is admin and can sign in.

    The admins' rows are locked: of two who demote each other at once, the second one waits and is refused.
    """
    if role == "admin" or user.staff_role != "admin":
        return
    able = select(User.id).where(User.staff_role == "admin", User.disabled_at.is_(None))
    admins = session.scalars(able.order_by(User.id).with_for_update()).all()
    if set(admins) <= {user.id}:
        raise LastAdmin(f"{user.name} is the last admin. Make somebody else admin first.", field="role")


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
