"""Mailed links that prove a mailbox: to verify an address (24 hours), to reset a password (1 hour). Once each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from app import clock
from app.errors import Refusal
from app.people import tokens
from app.people.models import EmailToken, User

LIFETIMES = {"verify": timedelta(hours=24), "reset": timedelta(hours=1)}


class LinkDead(Refusal):
    """The link was used, replaced or is too old, or it never was one of ours: the answers are the same on purpose."""

    code = "LINK_EXPIRED"


@dataclass(frozen=True)
class Proven:
    """What following the link proves: this user reads this mailbox."""

    user: User
    email: str


def issue(session: Session, user: User, purpose: str, email: str) -> str:
    """A link's secret, to be mailed to `email` and nowhere else. Older links for the same purpose stop working."""
    now = clock.now()
    session.execute(
        update(EmailToken)
        .where(EmailToken.user_id == user.id, EmailToken.purpose == purpose, EmailToken.used_at.is_(None))
        .values(used_at=now)
    )
    token = tokens.fresh()
    session.add(
        EmailToken(
            token_hash=tokens.hashed(token),
            user_id=user.id,
            purpose=purpose,
            email=email,
            created_at=now,
            expires_at=now + LIFETIMES[purpose],
        )
    )
    return token


def works(session: Session, token: str, purpose: str) -> bool:
    """Whether following it would work now. Looking uses nothing up: mail scanners open links too."""
    return session.scalar(select(EmailToken.user_id).where(_good(token, purpose))) is not None


def follow(session: Session, token: str, purpose: str) -> Proven:
    """Use the link up. Raises LinkDead; of two who follow it at once, one gets through."""
    used = session.execute(
        update(EmailToken)
        .where(_good(token, purpose))
        .values(used_at=clock.now())
        .returning(EmailToken.user_id, EmailToken.email)
        .execution_options(synchronize_session=False)
    ).first()
    user = session.get(User, used.user_id) if used else None
    if used is None or user is None or user.disabled_at is not None:
        raise LinkDead("This link was used already or is too old. Ask for a new one.")
    return Proven(user, used.email)


def _good(token: str, purpose: str) -> ColumnElement[bool]:
    return and_(
        EmailToken.token_hash == tokens.hashed(token),
        EmailToken.purpose == purpose,
        EmailToken.used_at.is_(None),
        EmailToken.expires_at > clock.now(),
    )
