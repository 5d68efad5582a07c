"""The bar of a meter: where its parts begin and end on the track, in percent, as SVG attributes take them.

The allowance is at 60 % of the track on every row: the line goes straight down the page, what is over is beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.http.bars import WHOLE, percent

NEAR = 80  # percent of an allowance from which on it is nearly used up
_CAP = 6_000  # hundredths of a percent
_SEEN = 40  # what is over at all can be seen
_DASHED = 100  # less would be a speck, not a dashed box


@dataclass(frozen=True, slots=True)
class Bar:
    """Widths and places as `65.78%`; empty for a part that is not drawn. `tone`: the class of the used part."""

    tone: str
    used: str
    over: str = ""
    heading_from: str = ""
    heading: str = ""


def bar(used: int, allowance: int, heading: int) -> Bar:
    """The bar of so many `used` units of an `allowance`, on the way to `heading` by the end of the period."""
    now, then = _place(used, allowance), _place(heading, allowance)
    over = max(now - _CAP, _SEEN) if used > allowance else 0
    ends = _CAP + over if over else now
    tone = "near" if percent_used(used, allowance) >= NEAR and not over else "fill"
    parts = (percent(ends), percent(then - ends)) if then - ends >= _DASHED else ("", "")
    return Bar(tone, percent(min(now, _CAP)), percent(over) if over else "", *parts)


def percent_used(used: int, allowance: int) -> int:
    """Whole percent, rounded down: an allowance with something left is never 100 % used."""
    return used * 100 // allowance if allowance else 100


def _place(units: int, allowance: int) -> int:
    """Where so many units are on the track; past its end is its end."""
    if not units:
        return 0
    return min(units * _CAP // allowance, WHOLE) if allowance else WHOLE
