"""Who is signed in, and which customer they look at: one indexed query per request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.customers.models import Customer, Membership
from app.people import sessions, tokens
from app.people.models import LoginSession, User


@dataclass(frozen=True)
class SignedIn:
    """The person behind a request. Plain values: nothing here reads the database again.

    `customer_id` and `permission` are None when the chosen membership is gone or none was chosen. `bound`: the host
    product opened this session for one customer, so there is no other one, no back office and no profile in it.
    """

    token: str
    session_id: str
    last_seen_at: datetime
    id: str
    name: str
    email: str
    email_verified: bool
    staff_role: str | None
    time_zone: str
    customer_id: str | None
    customer_name: str | None
    permission: str | None
    bound: bool
    return_url: str | None  # where the host product wants them back

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the cookie holds: the session's token, so that ending the session ends the cookie."""
        return self.token


def load(session: Session, token: str) -> SignedIn | None:
    """The living session with this token, its user, and the membership it chose; None when any of it is over."""
    row = session.execute(
        select(
            LoginSession.id.label("session_id"),
            LoginSession.last_seen_at,
            LoginSession.bound_to,
            LoginSession.return_url,
            User.id,
            User.name,
            User.email,
            User.email_verified_at,
            User.staff_role,
            User.time_zone,
            Membership.customer_id,
            Membership.permission,
            Customer.name.label("customer_name"),
        )
        .join(User, User.id == LoginSession.user_id)
        .outerjoin(
            Membership,
            and_(
                Membership.user_id == LoginSession.user_id,
                Membership.customer_id == func.coalesce(LoginSession.bound_to, LoginSession.customer_id),
            ),
        )
        .outerjoin(Customer, Customer.id == Membership.customer_id)
        .where(LoginSession.token_hash == tokens.hashed(token), User.disabled_at.is_(None), sessions.alive())
    ).first()
    if row is None:
        return None
    return SignedIn(
        token=token,
        session_id=row.session_id,
        last_seen_at=row.last_seen_at,
        id=row.id,
        name=row.name,
        email=row.email,
        email_verified=row.email_verified_at is not None,
        staff_role=None if row.bound_to else row.staff_role,
        time_zone=row.time_zone,
        customer_id=row.customer_id,
        customer_name=row.customer_name,
        permission=row.permission,
        bound=row.bound_to is not None,
        return_url=row.return_url,
    )
