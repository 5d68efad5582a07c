"""Tallies: how far each meter has come in each period, while a batch is decided; and in which period an event counts.

Pure: read in before, written out after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.metering.terms import Terms
from app.subscriptions.periods import Period

GRACE = timedelta(hours=1)  # after a period's end, for events on their way


@dataclass(slots=True)
class Tally:
    """One meter over one period `[start, end)`. `had_…` is how the batch found it. Money in micros."""

    meter: str
    start: datetime
    end: datetime
    terms: Terms
    used: int = 0
    over: int = 0
    over_micros: int = 0
    is_closed: bool = False
    had_used: int = 0
    had_over: int = 0
    had_over_micros: int = 0

    def beyond(self, quantity: int) -> int:
        """How many of so many more units the allowance does not cover."""
        if self.terms.allowance is None:
            return 0
        return max(0, quantity - max(0, self.terms.allowance - self.used))

    def add(self, quantity: int, over: int, over_micros: int) -> None:
        self.used += quantity
        self.over += over
        self.over_micros += over_micros

    @property
    def is_touched(self) -> bool:
        return self.used != self.had_used


class Tallies:
    """The tallies of one customer at one instant: those of the period now, and of earlier ones that are still open."""

    def __init__(
        self,
        found: Iterable[Tally],
        terms: Mapping[str, Terms],
        now: datetime,
        period: Period,
        earlier: Callable[[datetime], Period],
    ) -> None:
        """`terms` by meter, `period` as they are now; `earlier`: the period of an instant before it."""
        self._terms, self._now, self._period, self._earlier = terms, now, period, earlier
        self._tallies = {(tally.meter, tally.start): tally for tally in found}
        # The periods as they are written down: closed for one meter is closed for all, since one invoice is for all.
        self._spans: dict[datetime, Period] = {}
        self._closed: set[datetime] = set()
        for tally in self._tallies.values():
            self._spans[tally.start] = Period(0, tally.start, tally.end)
            if tally.is_closed:
                self._closed.add(tally.start)

    def place(self, occurred_at: datetime) -> tuple[Period, bool]:
        """The period in which what occurred then counts, and whether it is late: its own one is closed."""
        if occurred_at >= self._period.start:
            return self._period, False
        known = [span for span in self._spans.values() if span.holds(occurred_at) and self._is_open(span)]
        if known:
            return max(known, key=lambda span: span.start), False
        own = self._earlier(occurred_at)
        if own.holds(occurred_at) and self._is_open(own):
            return own, False
        return self._period, True

    def of(self, meter: str, period: Period) -> Tally:
        """The tally of a meter in a period, by today's terms; in an earlier one by those it was last counted by."""
        tally = self._tallies.get((meter, period.start))
        if tally is None:
            tally = self._tallies[meter, period.start] = Tally(meter, period.start, period.end, self._terms[meter])
        elif period is self._period:
            tally.terms, tally.end = self._terms[meter], period.end
        return tally

    def spent(self, start: datetime) -> int:
        """What overage has cost in the period that begins then, all meters together, in micros."""
        return sum(tally.over_micros for tally in self._tallies.values() if tally.start == start)

    def touched(self) -> list[Tally]:
        return [tally for tally in self._tallies.values() if tally.is_touched]

    def _is_open(self, span: Period) -> bool:
        return span.start not in self._closed and self._now < span.end + GRACE
