"""When a payment that failed is tried again, and when access ends (SPEC P11). Pure arithmetic.

Two clocks that do not wait for each other: retries of the payment, counted from the day the invoice was due, and the
grace period, counted from the first failure. After the last retry the subscription ends.
"""

from __future__ import annotations

from datetime import datetime, timedelta

RETRY_DAYS = (2, 7, 14, 21)  # after the invoice was due
GRACE_DAYS = 7  # full access while past due, unless the installation says otherwise


def next_retry(due_at: datetime, after: datetime) -> datetime | None:
    """The first retry later than `after`; None once the last has been. One more, made by hand, moves none of them."""
    times = (due_at + timedelta(days=days) for days in RETRY_DAYS)
    return next((time for time in times if time > after), None)
