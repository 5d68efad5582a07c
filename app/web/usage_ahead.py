"""Meters with where they are heading by the end of their period: what pages say "about" of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from app import clock
from app.metering import projection, reads
from app.metering.projection import Pace, Run
from app.metering.reads import MeterNow

LOOK_BACK = timedelta(days=14)  # twice what the pace is taken from, to tell a quiet week from a young meter


@dataclass(frozen=True, slots=True)
class Ahead:
    """A meter, and what it comes to by the end: `total` units, `cost` micros of overage. No pace: too early to tell."""

    meter: MeterNow
    pace: Pace
    total: int
    cost: int

    @property
    def run(self) -> Run:
        """The meter as it goes on; one that stops at its allowance costs nothing beyond."""
        paid = self.meter.mode in ("wallet", "invoice")
        return Run(self.meter.used, self.meter.allowance, (self.meter.unit_micros or 0) if paid else 0, self.pace)


def of(session: Session, customer_id: str, meters: Sequence[MeterNow]) -> list[Ahead]:
    """The meters of the period that is running, each carried on to its end. One SELECT for all of them."""
    now = clock.now()
    today = now.astimezone(UTC).date()
    daily: dict[str, dict[date, int]] = defaultdict(dict)
    for row in reads.daily(session, customer_id, today - LOOK_BACK):
        daily[row.meter][row.day] = row.quantity
    return [_ahead(meter, daily[meter.key], now) for meter in meters]


def ended(meters: Sequence[MeterNow]) -> list[Ahead]:
    """The meters of a period that is over: they came to what they came to."""
    return [Ahead(meter, Pace(0, 0), meter.used, meter.over_micros) for meter in meters]


def cost(ahead: Sequence[Ahead]) -> int:
    """What overage comes to by the end of the period, all meters together, in micros."""
    return sum(one.cost for one in ahead)


def days_covered(available: int, ahead: Sequence[Ahead]) -> int | None:
    """How many whole days the wallet pays for what goes over; None: as long as the period lasts."""
    runs = [one.run for one in ahead if one.meter.mode == "wallet"]
    if not runs:
        return None
    return projection.days_covered(available, runs, clock.now(), ahead[0].meter.period.end)


def _ahead(meter: MeterNow, daily: Mapping[date, int], now: datetime) -> Ahead:
    today, period = now.astimezone(UTC).date(), meter.period
    begun = Ahead(meter, projection.pace(daily, today), meter.used, meter.over_micros)
    counted_today = min(daily.get(today, 0), meter.used)
    total = projection.total(meter.used, counted_today, begun.pace, now, period.start, period.end)
    if meter.mode == "block" and meter.allowance is not None:
        total = min(total, max(meter.allowance, meter.used))
    return Ahead(meter, begun.pace, total, meter.over_micros + begun.run.more(total - meter.used))
