"""Who is signed in, and which customer they look at: one indexed query per request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from app import clock
from app.customers.models import Customer, Membership
from app.people import sessions, tokens
from app.people.models import LoginSession, SecondFactor, User


@dataclass(frozen=True)
class SignedIn:
    """The person behind a request. Plain values: nothing here reads the database again.

    `customer_id` and `permission` are None when the chosen membership is gone or none was chosen. `bound`: the host
    product opened this session for one customer, so there is no other one, no back office and no profile in it.
    `proved_at`: when they last proved who they are; None in such a session.
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
    proved_at: datetime | None
    has_second_factor: bool
    looks_on: str | None = None  # staff, as this customer: they read what its members read, and change nothing
    looking_until: datetime | None = None

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the cookie holds: the session's token, so that ending the session ends the cookie."""
        return self.token


def load(session: Session, token: str) -> SignedIn | None:
    """The living session with this token, its user, and the membership it chose; None when any of it is over."""
    row = session.execute(_found(token)).first()
    if row is None:
        return None
    customer_id, permission = row.customer_id, row.permission
    if row.viewing_customer_id is not None:  # never the rights of a member of their own, and none once it is over
        looks = row.staff_role is not None and clock.now() < row.viewing_until
        customer_id, permission = (row.viewing_customer_id, "read") if looks else (None, None)
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
        customer_id=customer_id,
        customer_name=row.customer_name,
        permission=permission,
        bound=row.bound_to is not None,
        return_url=row.return_url,
        proved_at=row.proved_at,
        has_second_factor=row.second_factor_since is not None,
        looks_on=row.viewing_customer_id,
        looking_until=row.viewing_until,
    )


def _found(token: str) -> Select[*tuple[Any, ...]]:
    return (
        select(
            LoginSession.id.label("session_id"),
            LoginSession.last_seen_at,
            LoginSession.bound_to,
            LoginSession.return_url,
            LoginSession.viewing_customer_id,
            LoginSession.viewing_until,
            LoginSession.proved_at,
            SecondFactor.confirmed_at.label("second_factor_since"),
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
        .outerjoin(SecondFactor, SecondFactor.user_id == LoginSession.user_id)
        .outerjoin(Customer, Customer.id == func.coalesce(LoginSession.viewing_customer_id, Membership.customer_id))
        .where(LoginSession.token_hash == tokens.hashed(token), User.disabled_at.is_(None), sessions.alive())
    )
