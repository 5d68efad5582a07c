"""What the gallery shows of usage: meters at every point of their allowance, charts, and the overview's panels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from app.checkin.calendar import CalendarDay
from app.checkin.reads import NextBonus, Today
from app.credits import CreditBalance
from app.llm.reads import Spend
from app.metering.projection import Pace
from app.metering.reads import DayUse, MeterNow
from app.subscriptions.periods import Period
from app.web import usage_days, usage_rows
from app.web.model_panel import Row
from app.web.overview_activity import Event
from app.web.overview_credits import Credits
from app.web.overview_usage import Usage
from app.web.usage_ahead import Ahead
from app.web.usage_limits import CapForm, ThresholdForm
from app.web.usage_page import Asked, Month, Source
from app.web.usage_summary import Stat

NOW = datetime(2026, 11, 20, 10, 40, tzinfo=UTC)
PERIOD = Period(0, datetime(2026, 11, 4, tzinfo=UTC), datetime(2026, 12, 4, tzinfo=UTC))
LONG = "Invocations of the skill that Bartholomew-Featherstonehaugh & Sons published"
CALLS = (
    33_120, 34_480, 35_910, 18_240, 16_875, 36_420, 38_215, 37_960, 39_340, 36_105, 19_450, 17_580, 38_700, 41_225,
    42_580,
)  # fmt: skip


def _meter(name: str, used: int, allowance: int | None, mode: str | None = "wallet", micros: int | None = 400) -> Ahead:
    over = max(0, used - allowance) if allowance is not None else 0
    cost = over * (micros or 0)
    meter = MeterNow(name, name, "call", PERIOD, allowance, used, over, cost, mode, micros, cost // 3)
    if mode == "block":
        return Ahead(meter, Pace(used, 7), used, 0)
    return Ahead(meter, Pace(used, 7), used * 2, cost * 3 + 13_100_000)


METERS = (
    _meter("API calls", 548_200, 500_000),
    _meter("Agent runs", 412, 500, "invoice", 50_000),
    _meter("Jobs", 250, 250, "block", None),
    _meter("Views", 1_234_567, None, None, None),
    _meter(LONG, 0, 100),
    _meter("Nothing included", 12, 0),
)


def meter(view: str = "chart") -> dict[str, Any]:
    """The calls of the design, over since yesterday."""
    one = METERS[0]
    days = [DayUse(date(2026, 11, 4) + timedelta(days=place), count, 0, 0) for place, count in enumerate(CALLS)]
    days += [
        DayUse(date(2026, 11, 19), 43_900, 30_100, 12_040_000),
        DayUse(date(2026, 11, 20), 18_100, 18_100, 7_240_000),
    ]
    return {
        "asked": Asked(meter=one.meter.key, is_table=view == "table"),
        "meters": [each.meter for each in METERS[:3]],
        "chosen": one.meter,
        "spoken": one.meter.name,
        "is_past": False,
        "days": usage_days.of(one, [DayUse(date(2026, 11, 1), 1, 1, 400), *days], NOW),
        "day_places": 2,
        "sources": [
            Source(LONG, 548_199, "100%", 48_199, 19_279_600),
            Source("No source named", 1, "under 1%", 1, 400),
        ],
        "source_places": 4,
    }


def meter_unused(allowance: int | None = 1_000, *, is_past: bool = False) -> dict[str, Any]:
    one = _meter("API calls", 0, allowance)
    return meter() | {"chosen": one.meter, "days": None, "sources": [], "is_past": is_past, "meters": [one.meter]}


def stats() -> dict[str, Any]:
    link = ("/wallet", "Top up")
    return {
        "stats": [
            Stat("Overage so far", "$1,234,567.8901", "$1,234,000.0000 charged, $567.8901 held for today"),
            Stat("Projected overage by 3 Dec", "Too early", "Told from the first full day on"),
            Stat("Wallet available", "−$0.01", "Covers less than a day.", link),
        ],
        "may_pay": True,
    }


def months() -> dict[str, Any]:
    used = [("API calls", "1,009,180 of 500,000"), (LONG, "12")]
    month = Month(PERIOD.start, "4 Oct to 3 Nov 2026", "October", used, 203_672_000, "/usage")
    return {"months": [month], "month_places": 4, "is_past": False}


def limits(**given: Any) -> dict[str, Any]:
    usual = {
        "cap": 50_000_000,
        "spent": 19_280_000,
        "cap_form": CapForm(formdata=None, data={"cap": "50.00"}),
        "threshold_form": ThresholdForm(formdata=None, data={"percents": "80, 100"}),
        "may_set": True,
    }
    return usual | given


def limits_refused() -> dict[str, Any]:
    form = CapForm(formdata=None, data={"cap": "fifty"})
    form.validates()
    return limits(cap_form=form)


def overview_usage(count: int = len(METERS)) -> dict[str, Any]:
    rows = usage_rows.rows_of(METERS[:count])
    advice = (
        "At this week’s pace overage reaches about $216.77 by 3 Dec. Growth covers all of it for $150.00 more a month."
    )
    usage = Usage(rows, METERS[:count], "3\N{NO-BREAK SPACE}Dec", advice if rows else "", is_new=False)
    return {"usage": usage, "standing": {"subscription": True}}


def overview_usage_new() -> dict[str, Any]:
    ahead = [_meter("API calls", 0, 20_000), _meter("agent runs", 0, 25)]
    usage = Usage(usage_rows.rows_of(ahead), ahead, "30\N{NO-BREAK SPACE}Nov", "", is_new=True)
    return {"usage": usage, "standing": {"subscription": None}}


def credits_panel(state: str) -> dict[str, Any]:
    """`open` to be done, `done`, `barred` with a reason, and `off`."""
    monday = date(2026, 11, 16)
    states = ("done", "done", "missed", "done", "done" if state == "done" else "today", "future", "future")
    week = tuple(
        CalendarDay(monday + timedelta(days=place), one, 10, place == 6, place == 4) for place, one in enumerate(states)
    )
    bonus = NextBonus(date(2026, 11, 22), 14, 40)
    reason = "Confirm your email address to check in." if state == "barred" else ""
    today = Today(
        is_on=True, reason=reason, done=state == "done", next_at=NOW + timedelta(hours=14), day=NOW.date(), zone="UTC",
        streak=11, amount=10, next_bonus=bonus, week=week,
    )  # fmt: skip
    shown = Credits(
        CreditBalance(4_005, 30), "Never expire. Generate a model: 10 credits.", None if state == "off" else today,
        "Sunday 22 Nov is day 14, worth 40 credits.",
    )  # fmt: skip
    return {"credits": shown, "may_pay": True}


def overview_activity(count: int = 3) -> dict[str, Any]:
    events = [
        Event("Overage, API calls", "30,100 calls on 19 Nov", NOW, "−$12.0400", is_gain=False),
        Event("Check-in, day 11", "Credits", NOW - timedelta(days=1), "+10 credits", is_gain=True),
        Event(LONG, "<b>Refused</b> & returned", NOW - timedelta(days=400), "−$1,234,567.8900", is_gain=False),
    ]
    return {"events": events[:count]}


def models(count: int = 2) -> dict[str, Any]:
    """A month of model calls: a long name, a cost below a cent, a key without a name."""
    told = [
        Row(LONG, "pur_live_…Izor", Spend(LONG, "", 1_204, 98_120_500, 1_048_000, 48_000, 1_234_567_890_000)),
        Row("gpt-5-mini", "", Spend("gpt-5-mini", "", 1, 12, 7, 0, 17)),
    ][:count]
    total = Spend("", "", 1_205, 98_120_512, 1_048_007, 48_000, 1_234_567_890_017)
    shown = {"month": "November 2026", "by_model": told, "by_key": told, "total": total, "places": 6, "csv": "/usage"}
    return {"models_shown": shown | {"earlier": None, "later": None}}


State = tuple[str, Callable[[], dict[str, Any]]]

STATES: dict[str, State] = {
    "usage-chart": ("usage/_meter.html", meter),
    "usage-table": ("usage/_meter.html", partial(meter, "table")),
    "usage-unused": ("usage/_meter.html", meter_unused),
    "usage-unused-no-limit": ("usage/_meter.html", partial(meter_unused, None)),
    "usage-unused-past": ("usage/_meter.html", partial(meter_unused, is_past=True)),
    "usage-no-meters": ("usage/_meter.html", lambda: meter() | {"chosen": None, "days": None}),
    "usage-stats": ("usage/_stats.html", stats),
    "usage-months": ("usage/_months.html", months),
    "usage-limits": ("usage/_limits.html", limits),
    "usage-limits-refused": ("usage/_limits.html", limits_refused),
    "usage-limits-read-only": ("usage/_limits.html", partial(limits, may_set=False)),
    "usage-models": ("usage/_models.html", models),
    "usage-models-none": ("usage/_models.html", partial(models, 0)),
    "overview-usage": ("overview/_usage.html", overview_usage),
    "overview-usage-none": ("overview/_usage.html", partial(overview_usage, 0)),
    "overview-usage-new": ("overview/_usage.html", overview_usage_new),
    "overview-activity": ("overview/_activity.html", overview_activity),
    "overview-activity-none": ("overview/_activity.html", partial(overview_activity, 0)),
    **{
        f"overview-credits-{state}": ("overview/_credits.html", partial(credits_panel, state))
        for state in ("open", "done", "barred", "off")
    },
}
