"""What a change of plan costs in the middle of a period (SPEC P6). Pure arithmetic, in minor units of one currency.

Seconds left over seconds in the full period, each part rounded once, half away from zero. The denominator is always the
whole period, however often the plan has changed in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from app.money import round_half_away
from app.subscriptions.periods import Interval, Period, seconds_between


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a period that is left: `left` of `whole` seconds."""

    left: int
    whole: int

    def of(self, price: int) -> int:
        """This share of a price, rounded once."""
        return round_half_away(price * self.left, self.whole)

    def of_credits(self, count: int) -> int:
        """This share of included credits, rounded down: no credit is granted that was not paid for."""
        return count * self.left // self.whole


def share_left(period: Period, at: datetime) -> Share:
    """What is left of the period at this instant, counted in whole seconds from the second the instant is in.

    Raises ValueError for an instant outside the period. A preview is charged to the cent by using its instant again.
    """
    if not period.holds(at):
        raise ValueError("This instant is not in the period.")
    second = at.astimezone(UTC).replace(microsecond=0)
    return Share(seconds_between(second, period.end), period.seconds)


def takes_effect_now(
    old_price: int, old_interval: Interval, old_rank: int, new_price: int, new_interval: Interval, new_rank: int
) -> bool:
    """Whether a change is made and paid at once; the others wait for the end of the period, which is paid already.

    Within an interval the dearer plan comes now. From month to year now too, unless to a lesser plan. From year to
    month never: most of a year would come back as credit that nobody asked for.
    """
    if old_interval is new_interval:
        return is_upgrade(old_price, old_interval, new_price, new_interval)
    return new_interval is Interval.YEAR and new_rank >= old_rank


def is_upgrade(old_price: int, old_interval: Interval, new_price: int, new_interval: Interval) -> bool:
    """Whether the new plan costs as much or more a day, a month being a twelfth of a year.

    Averaging over the year keeps the answer the same in February and in March.
    """
    return new_price * old_interval.months >= old_price * new_interval.months
