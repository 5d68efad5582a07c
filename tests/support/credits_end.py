"""Credits whose time is over, ended in one transaction: the worker gives each customer one of their own."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.credits import expire


def expire_due(session: Session, now: datetime, limit: int = 100) -> int:
    """Of up to `limit` customers; how many grants ended."""
    return sum(expire.expire_of(session, customer_id, now) for customer_id in expire.due(session, now, limit))
