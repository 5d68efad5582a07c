"""Turning a second factor on and off, and the mail that tells its owner, who may not have done it themselves."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app import notices
from app.db import transaction
from app.people import second_factor, sessions
from app.people.models import User


def turn_on(
    session: Session, base_url: str, user: User, keys: Sequence[str], code: str, token: str
) -> tuple[list[str], str]:
    """It counts from now on; returns the recovery codes and this browser's new session token. Raises CodeRefused."""
    with transaction(session):
        codes = second_factor.confirm(session, user, keys, code, keep_token=token)
        fresh = sessions.prove(session, token)
        notices.queue(session, "second_factor_on", user.email, name=user.name, link=f"{base_url}/forgot-password")
    return codes, fresh


def turn_off(session: Session, base_url: str, user: User, *, actor: str, keep_token: str | None = None) -> None:
    """The password alone counts again: by its owner in this browser, or by somebody who may reset it for them.

    Every other session ends. Raises NotFound when there is none.
    """
    by = "" if actor == user.id else " by an administrator"
    with transaction(session):
        second_factor.remove(session, user, actor=actor, keep_token=keep_token)
        words = {"name": user.name, "by": by, "link": f"{base_url}/forgot-password"}
        notices.queue(session, "second_factor_off", user.email, **words)
