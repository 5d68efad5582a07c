"""Writing a line of the audit log, in the transaction of the change it tells of."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app import clock, ids
from app.activity.models import Activity
from app.ledger import HOUSE


def record(
    session: Session, actor: str, action: str, subject: str, *, customer_id: str | None = None, **details: Any
) -> Activity:
    """Note that `actor` (`usr_…`, `staff:usr_…`, `key_…`, `stripe`, `system`) did `action` to the row `subject`.

    `details` must be fit for JSON and hold no secret: staff and the customer may read it.
    """
    line = Activity(
        customer_id=customer_id or HOUSE,  # what belongs to no customer is the house's own
        id=ids.new("act"),
        at=clock.now(),
        actor=actor,
        action=action,
        subject=subject,
        details=details,
    )
    session.add(line)
    return line
