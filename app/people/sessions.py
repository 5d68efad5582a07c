"""Sessions: a browser that is signed in, on our side, so that ending it ends it (ASVS V7)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.errors import Forbidden
from app.people import tokens
from app.people.models import HalfSignIn, LoginSession, User

IDLE, ABSOLUTE = timedelta(hours=12), timedelta(days=7)
BOUND_ABSOLUTE = timedelta(hours=12)  # the host product opened it and cannot end it, so it ends by itself sooner
PROOF_LASTS = timedelta(minutes=15)  # of who one is: what moves money by hand, or makes a key, asks again after it
SEEN_AFTER = timedelta(minutes=5)  # how coarse "last seen" is: a write per page would cost more than it tells


def begin(
    session: Session,
    user: User,
    *,
    address: str = "",
    browser: str = "",
    customer_id: str | None = None,
    bound_to: str | None = None,
    return_url: str | None = None,
) -> str:
    """Sign this browser in, and return the token for its cookie. It is not kept here in readable form.

    `bound_to` names the one customer this session may ever reach, whatever else its user may do elsewhere. Nobody
    proved anything to us then; every other session begins with a proof.
    """
    token, now = tokens.fresh(), clock.now()
    session.execute(delete(LoginSession).where(LoginSession.user_id == user.id, ~alive()))
    if bound_to is None:
        user.last_signed_in_at = now
    session.add(
        LoginSession(
            token_hash=tokens.hashed(token),
            id=ids.new("ses"),
            user_id=user.id,
            customer_id=bound_to or customer_id,
            bound_to=bound_to,
            return_url=return_url,
            created_at=now,
            last_seen_at=now,
            proved_at=None if bound_to else now,
            address=address[:45],
            browser=browser[:200],
        )
    )
    activity.record(session, user.id, "session.began", user.id, address=address[:45])
    return token


def alive() -> ColumnElement[bool]:
    """SQL: the session is neither idle for 12 hours nor older than 7 days, or 12 hours for one bound to a customer."""
    now = clock.now()
    young = or_(LoginSession.bound_to.is_(None), LoginSession.created_at > now - BOUND_ABSOLUTE)
    return and_(LoginSession.last_seen_at > now - IDLE, LoginSession.created_at > now - ABSOLUTE, young)


def touch(session: Session, token: str) -> None:
    """It was used just now, so the idle time starts again."""
    session.execute(
        update(LoginSession).where(LoginSession.token_hash == tokens.hashed(token)).values(last_seen_at=clock.now())
    )


def prove(session: Session, token: str) -> str:
    """Its person has just proved who they are again; returns the token that takes the old one's place.

    A copy of the old cookie, wherever it is, must not gain by it (ASVS 7.2.4).
    """
    fresh = tokens.fresh()
    user_id = session.scalar(
        update(LoginSession)
        .where(LoginSession.token_hash == tokens.hashed(token), LoginSession.bound_to.is_(None))
        .values(token_hash=tokens.hashed(fresh), proved_at=clock.now(), last_seen_at=clock.now())
        .returning(LoginSession.user_id)
        .execution_options(synchronize_session=False)
    )
    if user_id is None:
        raise Forbidden("This session is over, or was opened by a link. Sign in again.")
    activity.record(session, user_id, "session.proved", user_id)
    return fresh


def choose_customer(session: Session, token: str, customer_id: str | None) -> None:
    """Which of the user's customers this browser looks at. That they belong to it is checked on each request.

    A session bound to one customer stays where it is.
    """
    free = and_(LoginSession.token_hash == tokens.hashed(token), LoginSession.bound_to.is_(None))
    session.execute(update(LoginSession).where(free).values(customer_id=customer_id))


def end(session: Session, token: str) -> None:
    """Sign out. The row is gone, so the cookie is worth nothing, wherever a copy of it is."""
    user_id = session.scalar(
        delete(LoginSession).where(LoginSession.token_hash == tokens.hashed(token)).returning(LoginSession.user_id)
    )
    if user_id:
        activity.record(session, user_id, "session.ended", user_id)


def end_one(session: Session, user_id: str, session_id: str) -> bool:
    """End one of the user's own sessions, by the id the profile page shows."""
    gone = delete(LoginSession).where(LoginSession.user_id == user_id, LoginSession.id == session_id)
    ended = cast("CursorResult[Any]", session.execute(gone)).rowcount == 1
    if ended:
        activity.record(session, user_id, "session.ended", user_id, ended=session_id)
    return ended


def end_all(session: Session, user_id: str, *, keep_token: str | None = None) -> int:
    """Sign out everywhere, save where `keep_token` is; says how many sessions ended. Half a sign-in ends too."""
    session.execute(delete(HalfSignIn).where(HalfSignIn.user_id == user_id))
    others = delete(LoginSession).where(LoginSession.user_id == user_id)
    if keep_token:
        others = others.where(LoginSession.token_hash != tokens.hashed(keep_token))
    return int(cast("CursorResult[Any]", session.execute(others)).rowcount)


def of_user(session: Session, user_id: str) -> list[LoginSession]:
    """The user's living sessions, the latest used first."""
    mine = select(LoginSession).where(LoginSession.user_id == user_id, alive())
    return list(session.scalars(mine.order_by(LoginSession.last_seen_at.desc(), LoginSession.id)))
