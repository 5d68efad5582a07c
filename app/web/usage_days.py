"""One meter day by day: the columns of the chart, the rows of the table, and the sentence under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from app.http.filters import day_text, number, short_day
from app.metering.reads import DayUse, MeterNow
from app.web import usage_chart
from app.web.usage_ahead import Ahead
from app.web.usage_chart import Chart, Day
from app.web.usage_words import last_day, units


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day of the table. `status`: included, held, charged, invoice; `total` counts from the period's start."""

    day: date | None  # None: days before the period, reported late
    quantity: int
    total: int
    over: int
    over_micros: int
    status: str
    is_today: bool = False


@dataclass(frozen=True, slots=True)
class Days:
    """A meter's days. `caption` tells the chart to who cannot see it; `late` units are of days before the period."""

    chart: Chart
    caption: str
    foot: str
    rows: Sequence[DayRow]
    late: int
    first: date  # the period's first day


def of(one: Ahead, used: Sequence[DayUse], now: datetime) -> Days:
    """The days of a meter's period, those without use too."""
    meter, today = one.meter, now.astimezone(UTC).date()
    first, last = meter.period.start.astimezone(UTC).date(), last_day(meter.period.end)
    by_day = {day.day: day for day in used}
    late = [day for day in used if day.day < first]
    whole = usage_chart.span(first, max(last, *by_day) if by_day else last)
    return Days(
        chart=usage_chart.chart([_bar(day, by_day, one, today) for day in whole], today=today, unit=meter.unit),
        caption=_caption(one, first, min(today, last), last),
        foot=_foot(meter, [day for day in used if day.day >= first]),
        rows=_rows(meter, late, by_day, [day for day in whole if day <= today or day in by_day], today),
        late=sum(day.quantity for day in late),
        first=first,
    )


def busiest(meter: MeterNow, used: Sequence[DayUse]) -> tuple[str, int, str] | None:
    """The day with most units, how many, and of what."""
    if not used:
        return None
    most = max(used, key=lambda day: (day.quantity, day.day))
    return short_day(most.day), most.quantity, units(meter.unit, most.quantity)


def _bar(day: date, by_day: dict[date, DayUse], one: Ahead, today: date) -> Day:
    use = by_day.get(day)
    quantity, over = (use.quantity, use.over) if use else (0, 0)
    expected = one.pace.per_day if day >= today and one.total > one.meter.used else None
    return Day(day, quantity, over, expected)


def _rows(
    meter: MeterNow, late: Sequence[DayUse], by_day: dict[date, DayUse], days: Sequence[date], today: date
) -> list[DayRow]:
    """Newest first; what was reported late comes before the first day, so it is below it."""
    made: list[DayRow] = []
    if late:
        quantity, over, micros = (
            sum(figures) for figures in zip(*((day.quantity, day.over, day.over_micros) for day in late), strict=True)
        )
        made.append(DayRow(None, quantity, quantity, over, micros, _status(meter, over, is_today=False)))
    for day in days:
        use = by_day.get(day) or DayUse(day, 0, 0, 0)
        total = use.quantity + (made[-1].total if made else 0)
        status = _status(meter, use.over, is_today=day == today)
        made.append(DayRow(day, use.quantity, total, use.over, use.over_micros, status, day == today))
    return made[::-1]


def _status(meter: MeterNow, over: int, *, is_today: bool) -> str:
    if not over:
        return "included"
    if meter.mode == "invoice":
        return "invoice"
    return "held" if is_today and meter.held_micros else "charged"


def _caption(one: Ahead, first: date, until: date, last: date) -> str:
    meter = one.meter
    said = f"{meter.name} per day, {short_day(first)} to {day_text(until)}"
    said += f", then projected to {short_day(last)}. " if one.total > meter.used else ". "
    return f"{said}{number(meter.used)} {units(meter.unit, meter.used)} in all. Use the table view for exact numbers."


def _foot(meter: MeterNow, used: Sequence[DayUse]) -> str:
    first = next((day for day in used if day.over), None)
    if first is None or meter.allowance is None:
        return ""
    if meter.used <= meter.allowance:
        count = f"{number(meter.over)} {units(meter.unit, meter.over)}"
        return f"{count} went over an allowance that was smaller then. What they cost stays."
    within = first.quantity - first.over
    when = f"after {number(within)} of that day’s {units(meter.unit, within)}" if within else "before that day"
    return f"The allowance ran out on {short_day(first.day)} {when}."
