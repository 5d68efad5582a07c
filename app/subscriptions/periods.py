"""The periods of a subscription: half-open `[start, end)`, counted from its original anchor (SPEC R6). Pure arithmetic.

Boundary n is the anchor plus n months (or years) on the calendar of the customer's time zone, frozen when the
subscription began; a day the month does not have becomes its last. Each boundary is computed from the anchor and never
from the one before: Jan 31, Feb 28, Mar 31. The boundary instant belongs to the new period.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from zoneinfo import ZoneInfo


class Interval(Enum):
    """How far apart a subscription's payments are. The value is the word that rows, files and the API use."""

    MONTH = "month"
    YEAR = "year"

    @property
    def months(self) -> int:
        return 1 if self is Interval.MONTH else 12


@dataclass(frozen=True, slots=True)
class Period:
    """`[start, end)`, aware UTC on whole seconds, and its number: 0 is the one that begins at the anchor."""

    number: int
    start: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        """The full length in seconds: an hour more or less than whole days where the clocks change."""
        return seconds_between(self.start, self.end)

    def holds(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


@dataclass(frozen=True, slots=True)
class Anchor:
    """The instant a subscription's periods are counted from, on a whole second, and the zone whose calendar counts.

    Raises ValueError for an instant without a zone or between two seconds: `anchored` makes one from any instant.
    """

    at: datetime
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.at.tzinfo is None or self.at.microsecond:
            raise ValueError("An anchor is an aware instant on a whole second.")

    def boundary(self, number: int, interval: Interval) -> datetime:
        """The instant at which period `number` begins, in UTC. Raises ValueError before the anchor."""
        if number < 0:
            raise ValueError("There are no periods before the anchor.")
        if number == 0:
            return self.at.astimezone(UTC)  # itself, even where the clock shows this hour twice
        local = self.at.astimezone(self.zone)
        years, month = divmod(local.month - 1 + number * interval.months, 12)
        year, month = local.year + years, month + 1
        day = min(local.day, calendar.monthrange(year, month)[1])
        # An hour the clock skips moves as far as the clock does; of an hour it shows twice, the first is meant.
        return local.replace(year=year, month=month, day=day, fold=0).astimezone(UTC)

    def period(self, number: int, interval: Interval) -> Period:
        """Period `number`. It ends where the next one begins, so no second is in two of them or in none."""
        return Period(number, self.boundary(number, interval), self.boundary(number + 1, interval))

    def period_at(self, instant: datetime, interval: Interval) -> Period:
        """The period this instant is in. Raises ValueError before the anchor."""
        if instant < self.at:
            raise ValueError("There are no periods before the anchor.")
        first, now = self.at.astimezone(self.zone), instant.astimezone(self.zone)
        guess = ((now.year - first.year) * 12 + now.month - first.month) // interval.months
        # Within the month (or year) of the boundary the day and hour decide, and the clock may have been changed.
        for number in range(guess + 1, max(guess - 2, 0), -1):
            if self.boundary(number, interval) <= instant:
                return self.period(number, interval)
        return self.period(0, interval)

    def allowance_period_at(self, instant: datetime) -> Period:
        """The period over which allowances count: a month on the same anchor, on yearly plans too."""
        return self.period_at(instant, Interval.MONTH)


def anchored(instant: datetime, zone: str) -> Anchor:
    """The anchor of a subscription that begins now, for a customer in this zone (an IANA name).

    Fractions of a second are dropped: providers count whole seconds, and both sides must agree. Raises
    ZoneInfoNotFoundError for a zone this machine does not know.
    """
    return Anchor(instant.astimezone(UTC).replace(microsecond=0), ZoneInfo(zone))


def seconds_between(start: datetime, end: datetime) -> int:
    """Whole seconds from one instant to another; what is left of a second is dropped."""
    # Subtracting in UTC: two times of one zone would be subtracted as the clock on the wall shows them.
    span = end.astimezone(UTC) - start.astimezone(UTC)
    return span.days * 86_400 + span.seconds
