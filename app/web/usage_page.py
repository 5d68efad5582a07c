"""What the usage page shows: one period of one customer, read from counters alone (SPEC §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from app import clock, ledger
from app.errors import NotFound
from app.http.filters import MONTH_NAMES, default_currency, number, places_of, short_day
from app.metering import caps, invoiced, reads
from app.metering.reads import MeterNow, PeriodUse, SourceUse
from app.money import round_half_away
from app.subscriptions import standing
from app.subscriptions.standing import Standing
from app.wallet.accounts import wallet_of
from app.web import usage_ahead, usage_counts, usage_days, usage_rows, usage_summary
from app.web.usage_ahead import Ahead
from app.web.usage_summary import Costs
from app.web.usage_words import in_a_sentence, last_day, reset_text, span_text

MOST_SOURCES = 20
UNNAMED = "No source named"
MOST_PERIOD_ROWS = 120  # one for each meter and period


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. `start` None is the period that is running; `meter` empty is the first one."""

    start: datetime | None = None
    meter: str = ""
    is_table: bool = False

    def address(self, endpoint: str = "usage.show", **other: str) -> str:
        """An address of the same, but for what is given; an empty value leaves a part out."""
        said = {
            "period": clock.timestamp(self.start) if self.start else "",
            "meter": self.meter,
            "view": "table" if self.is_table else "",
        } | other
        return url_for(endpoint, **{name: value for name, value in said.items() if value})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Month:
    """A period as a line of the list of earlier ones. `used`: name, units and allowance of each meter."""

    start: datetime
    title: str
    name: str
    used: Sequence[tuple[str, str]]
    over_micros: int
    address: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where units came from, and what share of the meter that is, in whole percent."""

    name: str
    quantity: int
    share: str
    over: int
    over_micros: int


@dataclass(frozen=True, slots=True)
class Read:
    """What was read once for the page and its partial. `months`: every period with use, newest first."""

    asked: Asked
    standing: Standing
    ahead: Sequence[Ahead]
    months: Sequence[Month]
    is_past: bool

    @property
    def chosen(self) -> Ahead | None:
        """The meter whose days are shown."""
        return next((one for one in self.ahead if one.meter.key == self.asked.meter), None)


def read(session: Session, customer_id: str, asked: Asked) -> Read:
    """The period and its meters. Raises NotFound for a period or a meter there is not."""
    now = standing.of(session, customer_id)
    is_past = asked.start is not None and asked.start != now.period.start
    meters = reads.meters(session, now, period_start=asked.start if is_past else None)
    if is_past and not meters:
        raise NotFound("There is no usage in such a period.")
    ahead = usage_ahead.ended(meters) if is_past else usage_ahead.of(session, customer_id, meters)
    if asked.meter and asked.meter not in {meter.key for meter in meters}:
        raise NotFound("There is no such meter.")
    shown = Asked(asked.start if is_past else None, asked.meter or _first(meters), asked.is_table)
    rows = reads.periods(session, customer_id, limit=MOST_PERIOD_ROWS)
    return Read(shown, now, ahead, _months(rows, {meter.key: meter.name for meter in meters}), is_past)


def partial(session: Session, found: Read) -> dict[str, Any]:
    """What `usage/_meter.html` needs: the days of the chosen meter, and where its units came from."""
    one = found.chosen
    if one is None:
        return {"asked": found.asked, "meters": [], "chosen": None, "is_past": False, "days": None, "busiest": None}
    meter, customer_id = one.meter, found.standing.customer_id
    used = reads.days(session, customer_id, meter.key, meter.period.start)
    sources = reads.sources(session, customer_id, meter.key, meter.period.start, limit=MOST_SOURCES)
    return {
        "asked": found.asked,
        "meters": [each.meter for each in found.ahead],
        "chosen": meter,
        "spoken": in_a_sentence(meter.name),
        "is_past": found.is_past,
        "busiest": usage_days.busiest(meter, used),
        "days": usage_days.of(one, used, clock.now()) if used else None,
        "day_places": places_of(day.over_micros for day in used) if used else 2,
        "sources": _sources(meter, sources),
        "source_places": places_of((meter.over_micros, *(source.over_micros for source in sources))),
    }


def page(session: Session, found: Read) -> dict[str, Any]:
    """What `usage/show.html` needs besides the forms of limits."""
    meters, shown = [one.meter for one in found.ahead], partial(session, found)
    cap = caps.spend_cap(session, found.standing.customer_id)
    here = found.ahead[0].meter.period if found.ahead else found.standing.period
    costs = usage_summary.costs_of(meters, invoiced.micros(session, found.standing.customer_id, here.start))
    fixed = [] if found.is_past else usage_counts.rows_of(session, found.standing)
    others = [month for month in found.months if month.start != here.start]
    return shown | {
        "standing": found.standing,
        "period": here,
        "title": span_text(here.start, here.end),
        "until": short_day(last_day(here.end)),
        "resets": reset_text(here.end),
        "rows": [*usage_rows.rows_of(found.ahead, is_over=found.is_past), *fixed],
        "stats": usage_summary.stats_then(meters, costs, shown["busiest"])
        if found.is_past
        else _stats(session, found, costs, cap),
        "months": others,
        "month_places": places_of(month.over_micros for month in others) if others else 2,
        "before": next((month for month in found.months if month.start < here.start), None),
        "after": _after(found, here.start),
        "csv": found.asked.address("usage.download", meter="", view=""),
        "cap": cap,
        "spent": costs.total,
    }


def _stats(session: Session, found: Read, costs: Costs, cap: int | None) -> list[usage_summary.Stat]:
    balance = ledger.balance(session, wallet_of(found.standing.customer_id, default_currency()))
    top_up, limits = url_for("wallet.show", _anchor="topup"), url_for("usage.show", _anchor="limits")
    return usage_summary.stats_now(found.ahead, costs, balance, cap, top_up=top_up, limits=limits)


def _first(meters: Sequence[MeterNow]) -> str:
    """The meter to begin with: the first that was used, else the first."""
    found = next((meter for meter in meters if meter.used), meters[0] if meters else None)
    return found.key if found else ""


def _after(found: Read, start: datetime) -> Month | None:
    """The period after a past one; the running one, even where nothing is used yet."""
    if not found.is_past:
        return None
    later = [month for month in found.months if month.start > start]
    if later:
        return later[-1]
    now = found.standing.period
    return Month(now.start, span_text(now.start, now.end), _name(now.start), (), 0, url_for("usage.show"))


def _months(rows: Sequence[PeriodUse], names: Mapping[str, str]) -> list[Month]:
    months = []
    for start, group in groupby(rows, key=lambda row: row.period_start):
        meters = list(group)
        used = [(names.get(row.meter, row.meter), _used(row)) for row in meters]
        cost = sum(row.over_micros for row in meters)
        address = Asked(start).address()
        months.append(Month(start, span_text(start, meters[0].period_end), _name(start), used, cost, address))
    # The oldest period may have been cut in the middle of its meters.
    return months[:-1] if len(rows) == MOST_PERIOD_ROWS else months


def _used(row: PeriodUse) -> str:
    return number(row.used) if row.allowance is None else f"{number(row.used)} of {number(row.allowance)}"


def _name(start: datetime) -> str:
    return MONTH_NAMES[start.astimezone(UTC).month - 1]


def _sources(meter: MeterNow, found: Sequence[SourceUse]) -> list[Source]:
    """The biggest ones, and all others together, so that the lines add up to the meter."""
    rows = [*found]
    rest = meter.used - sum(source.quantity for source in found)
    if rest > 0:
        over = meter.over - sum(source.over for source in found)
        rows.append(SourceUse("All others", rest, over, meter.over_micros - sum(row.over_micros for row in found)))
    return [
        Source(row.source or UNNAMED, row.quantity, _share(row.quantity, meter.used), row.over, row.over_micros)
        for row in rows
    ]


def _share(part: int, whole: int) -> str:
    percent = round_half_away(part * 100, whole)
    return f"{percent}%" if percent else "under 1%"
