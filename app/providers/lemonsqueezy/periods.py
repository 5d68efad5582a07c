"""The periods of a subscription, which Lemon Squeezy does not tell: counted in months from where they began.

Every instant here comes out the same whichever event or reading it is computed from, to the second: what is invoiced
is entered by these periods, and a second more or less would be another period.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

_SLACK = timedelta(hours=12)  # an invoice is made, and a renewal happens, some seconds beside the instant


@dataclass(frozen=True, slots=True)
class Cycle:
    """Periods of `months`, one of which begins at `anchor`."""

    anchor: datetime
    months: int

    def around(self, at: datetime) -> tuple[datetime, datetime]:
        """The period that `at` is in; an instant shortly before one begins belongs to it."""
        count = self._count(at + _SLACK)
        return self._point(count), self._point(count + 1)

    def before(self, end: datetime) -> tuple[datetime, datetime] | None:
        """The period that ends about at `end`; None if none does."""
        start, _ = self.around(end)
        if abs(start - end) > _SLACK:
            return None
        count = self._count(start)
        return self._point(count - 1), start

    def begins_at(self, at: datetime) -> bool:
        """Whether a period begins about then."""
        return abs(self.around(at)[0] - at) <= _SLACK

    def _point(self, count: int) -> datetime:
        return shifted(self.anchor, count * self.months)

    def _count(self, at: datetime) -> int:
        """How many whole periods lie between the anchor and `at`."""
        apart = (at.year - self.anchor.year) * 12 + at.month - self.anchor.month
        count = apart // self.months
        while self._point(count + 1) <= at:
            count += 1
        while self._point(count) > at:
            count -= 1
        return count


def shifted(instant: datetime, months: int) -> datetime:
    """So many calendar months later; where that month is shorter, its last day."""
    year, month = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    day = min(instant.day, monthrange(year, month + 1)[1])
    return instant.replace(year=year, month=month + 1, day=day)
