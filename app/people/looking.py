"""Staff looking on as a customer: in their own session, for 30 minutes, and each time in the customer's audit log."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import activity, clock
from app.people import tokens
from app.people.models import LoginSession

LONGEST = timedelta(minutes=30)
BEGAN, ENDED = "customer.looked_on", "customer.looked_on_ended"
_LONGEST_REASON = 200


def start(session: Session, token: str, user_id: str, customer_id: str, *, reason: str = "") -> datetime:
    """This browser reads as that customer's members do, and changes nothing; until when.

    The caller sees to it that the person is staff and the customer exists.
    """
    until = clock.now() + LONGEST
    mine = LoginSession.token_hash == tokens.hashed(token)
    session.execute(update(LoginSession).where(mine).values(viewing_customer_id=customer_id, viewing_until=until))
    said = {"reason": " ".join(reason.split())[:_LONGEST_REASON]} if reason.strip() else {}
    activity.record(session, f"staff:{user_id}", BEGAN, customer_id, customer_id=customer_id, **said)
    return until


def stop(session: Session, token: str, user_id: str) -> str | None:
    """Back to being oneself. The customer that was looked at; None where nobody was. Once more does no harm."""
    mine = LoginSession.token_hash == tokens.hashed(token)
    viewed = session.scalar(select(LoginSession.viewing_customer_id).where(mine))
    if viewed is None:
        return None
    session.execute(update(LoginSession).where(mine).values(viewing_customer_id=None, viewing_until=None))
    activity.record(session, f"staff:{user_id}", ENDED, viewed, customer_id=viewed)
    return viewed
