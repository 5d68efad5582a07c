"""Portal links: how the host product's own signed-in user gets into these pages. Good once, for five minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, delete, select, update
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.customers import members
from app.customers.models import PortalLink
from app.errors import Refusal
from app.people import sessions, tokens
from app.people.models import User

LIFETIME = timedelta(minutes=5)
KEPT = timedelta(days=1)  # after its end, so that the page of a dead link knows the way back


class PortalLinkDead(Refusal):
    """Used, too old, its user gone, or never one of ours: the answers are the same on purpose."""

    code = "LINK_EXPIRED"


@dataclass(frozen=True)
class Followed:
    """What following a link came to: the token of the new session's cookie, and the page it leads to."""

    session_token: str
    path: str


def issue(
    session: Session, customer_id: str, user: User, *, path: str, return_url: str | None, made_by: str
) -> tuple[PortalLink, str]:
    """A link for this user into pages of this customer, and its secret, which is kept as a hash alone."""
    now, token = clock.now(), tokens.fresh()
    old = and_(PortalLink.customer_id == customer_id, PortalLink.expires_at < now - KEPT)
    session.execute(delete(PortalLink).where(old).execution_options(synchronize_session=False))
    link = PortalLink(
        customer_id=customer_id,
        id=ids.new("plnk"),
        user_id=user.id,
        token_hash=tokens.hashed(token),
        path=path,
        return_url=return_url,
        made_by=made_by,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    session.add(link)
    activity.record(session, made_by, "portal_link.made", user.id, customer_id=customer_id, link=link.id, path=path)
    return link, token


def follow(session: Session, token: str, *, address: str, browser: str) -> Followed:
    """Use the link up and begin the session it stands for. Raises PortalLinkDead; of many at once, one gets through."""
    row = session.execute(
        update(PortalLink)
        .where(PortalLink.token_hash == tokens.hashed(token), PortalLink.used_at.is_(None))
        .where(PortalLink.expires_at > clock.now())
        .values(used_at=clock.now())
        .returning(PortalLink.customer_id, PortalLink.id, PortalLink.user_id, PortalLink.path, PortalLink.return_url)
        .execution_options(synchronize_session=False)
    ).first()
    user = session.get(User, row.user_id) if row else None
    if row is None or user is None or user.disabled_at is not None:
        raise _dead()
    if members.permission_of(session, row.customer_id, user.id) is None:
        raise _dead()
    session_token = sessions.begin(
        session, user, address=address, browser=browser, bound_to=row.customer_id, return_url=row.return_url
    )
    activity.record(session, user.id, "portal_link.followed", user.id, customer_id=row.customer_id, link=row.id)
    return Followed(session_token, row.path)


def way_back(session: Session, token: str) -> str | None:
    """Where the host product wants its user back, also when the link is dead."""
    return session.scalar(select(PortalLink.return_url).where(PortalLink.token_hash == tokens.hashed(token)))


def _dead() -> PortalLinkDead:
    return PortalLinkDead("This link was used already or is too old.")
