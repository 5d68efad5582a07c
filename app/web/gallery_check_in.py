"""The gallery's check-ins: the panel in every state there is, a month, and what a day gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from app import clock
from app.catalogue.terms import CheckInTerms
from app.checkin.calendar import Done, Known, month_days, shown, weeks
from app.checkin.models import CheckIn
from app.checkin.reads import Month, NextBonus, Today
from app.web import time_zones
from app.web.check_in import words

TERMS = CheckInTerms(10, ((7, 30), (30, 1_000)), expires_days=90, most=12_000, who="verified")
TODAY = date(2026, 11, 20)


def streak(**differs: Any) -> Callable[[], dict[str, Any]]:
    """The panel with the button, or with what stands in its place."""

    def state() -> dict[str, Any]:
        told = {name: differs[name] for name in ("is_on", "reason", "done", "streak", "amount") if name in differs}
        return {
            "today": _today(**told),
            "terms": TERMS,
            "held": differs.get("held", 0),
            "longest": CheckIn(streak=16, streak_began=date(2026, 10, 23), local_date=date(2026, 11, 7)),
            "longest_now": differs.get("longest_now", False),
            "balance": 4_005,
            "may_write": differs.get("may_write", True),
            **words(),
        }

    return state


def calendar() -> dict[str, Any]:
    """A month with days done, one missed, today, and bonuses to come."""
    first = TODAY.replace(day=1)
    done = {first + timedelta(days=day): Done(40 if day == 4 else 10, 30 * (day == 4), first) for day in range(7)}
    done |= {date(2026, 11, day): Done(10 * (day != 19), 0, date(2026, 11, 9)) for day in range(9, 20)}
    known = Known(done, TODAY, first, {date(2026, 11, 22): 40, date(2026, 11, 29): 40})
    cells = [shown(day, known) for day in month_days(first)]
    return {"month": Month(first, weeks(cells), 18, 19, 200, (date(2026, 11, 8),), date(2026, 10, 1), None), **words()}


def earn() -> dict[str, Any]:
    """What a day gives, with everything the rules can say."""
    return {"terms": TERMS, "today": _today(), **words()}


def zone() -> dict[str, Any]:
    """The choice of the zone, refused."""
    refused = {"time_zone": "Choose a time zone from the list."}
    return {"zones": time_zones.choices("Europe/London"), "own_zone": "Europe/London", "errors": refused}


def _today(**differs: Any) -> Today:
    usual: dict[str, Any] = {
        "is_on": True,
        "reason": "",
        "done": False,
        "next_at": clock.now() + timedelta(hours=9),
        "day": TODAY,
        "zone": "Europe/London",
        "streak": 11,
        "amount": 10,
        "next_bonus": NextBonus(date(2026, 11, 22), 14, 40),
        "week": (),
    }
    return Today(**{**usual, **differs})


STREAK = "check_in/_streak.html"
STATES: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "check-in": (STREAK, streak()),
    "check-in-first": (STREAK, streak(streak=0, longest_now=False)),
    "check-in-longest": (STREAK, streak(longest_now=True)),
    "check-in-done": (STREAK, streak(done=True, streak=12)),
    "check-in-at-the-cap": (STREAK, streak(amount=0, held=12_000)),
    "check-in-not-allowed": (STREAK, streak(reason="Confirm your email address first.")),
    "check-in-read-only": (STREAK, streak(may_write=False)),
    "check-in-off": (STREAK, streak(is_on=False, streak=0)),
    "check-in-month": ("check_in/_calendar.html", calendar),
    "check-in-earn": ("check_in/_earn.html", earn),
    "check-in-zone": ("check_in/_zone.html", zone),
}
