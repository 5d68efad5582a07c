"""checkin: free credits once a day (SPEC C5): a customer's days, streaks and what each day gave."""

from __future__ import annotations

from app.checkin.check_in import AlreadyCheckedIn, CheckInNotAllowed, CheckInOff, check_in

__all__ = ["AlreadyCheckedIn", "CheckInNotAllowed", "CheckInOff", "check_in"]
