"""Telling staff by mail: those who may agree that an adjustment waits, who asked what became of it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import notices
from app.adjustments.models import Adjustment
from app.customers.models import Customer
from app.notices import phrases
from app.people.models import User

MONEY_ROLES = ("finance", "admin")


def tell_waiting(session: Session, row: Adjustment, base_url: str) -> None:
    """A mail to everybody who may approve it, with the way there."""
    asker = session.get(User, row.person) if row.person else None
    words = {
        "who": asker.name if asker else "A program with a staff key",
        "what": _what(row),
        "customer": _customer(session, row),
        "reason": row.reason,
        "link": f"{base_url}/admin/adjustments/{row.id}",
    }
    may = select(User).where(User.staff_role.in_(MONEY_ROLES), User.disabled_at.is_(None)).order_by(User.id)
    for colleague in session.scalars(may):
        if colleague.id != row.person:
            notices.queue(session, "adjustment_waiting", colleague.email, name=colleague.name, **words)


def tell_decided(session: Session, row: Adjustment) -> None:
    """A mail to who asked."""
    asker = session.get(User, row.person) if row.person else None
    if asker is None or asker.disabled_at is not None:
        return
    decided = "made" if row.state == "made" else "turned down"
    why = row.decision or "There is nothing left to do."
    words = {"what": _what(row), "customer": _customer(session, row), "decided": decided, "why": why}
    notices.queue(session, "adjustment_decided", asker.email, name=asker.name, **words)


def _what(row: Adjustment) -> str:
    """`+$250.00`, `-1,200 credits`."""
    if row.asset == "credits":
        return f"{row.amount:+,} credits"
    return ("+" if row.amount > 0 else "") + phrases.money(row.amount, row.asset)


def _customer(session: Session, row: Adjustment) -> str:
    found = session.get(Customer, row.customer_id)
    return found.name if found else row.customer_id
