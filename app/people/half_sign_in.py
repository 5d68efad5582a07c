"""Half a sign-in: the password was right, and the code is still to come. It is no session and opens no page."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from app import clock
from app.people import tokens
from app.people.models import HalfSignIn, User

LIFETIME = timedelta(minutes=10)


def begin(session: Session, user: User) -> str:
    """The token for this browser's cookie. What the user left half done before, and too long ago, is forgotten."""
    token, now = tokens.fresh(), clock.now()
    old = and_(HalfSignIn.user_id == user.id, HalfSignIn.created_at <= now - LIFETIME)
    session.execute(delete(HalfSignIn).where(old))
    session.add(HalfSignIn(token_hash=tokens.hashed(token), user_id=user.id, created_at=now))
    return token


def user_of(session: Session, token: str) -> User | None:
    """Whose password it was; None when it is too old, was finished, or the password changed meanwhile."""
    mine = select(User).join(HalfSignIn, HalfSignIn.user_id == User.id)
    alive = and_(HalfSignIn.token_hash == tokens.hashed(token), HalfSignIn.created_at > clock.now() - LIFETIME)
    return session.scalar(mine.where(alive, User.disabled_at.is_(None)))


def finish(session: Session, token: str) -> bool:
    """It becomes a session now, once; False when it is not there any more."""
    gone = delete(HalfSignIn).where(HalfSignIn.token_hash == tokens.hashed(token)).returning(HalfSignIn.user_id)
    return session.scalar(gone.execution_options(synchronize_session=False)) is not None
