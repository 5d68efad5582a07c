"""The check-in page: the month as a calendar, the days in a row, what a day gives, and the button (SPEC C5)."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import checkin, credits
from app.checkin import reads, situation
from app.checkin.models import CheckIn
from app.customers import customers, members
from app.db import transaction
from app.errors import Refusal
from app.extensions import db
from app.http import hx
from app.http.auth import current_customer_id, current_session, customer_required
from app.http.errors import status_of
from app.http.filters import MONTH_NAMES, WEEKDAYS, credit_count, long_day, short_day
from app.web import time_zones

check_in = Blueprint("check_in", __name__, url_prefix="/check-in")

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])\Z", re.ASCII)
_NAMED_AT_MOST = 3  # missed days by their dates; more are a number


@check_in.get("")
@customer_required("read")
def show() -> str:
    """The whole page."""
    return render_template("check_in/show.html", **_page())


@check_in.get("/calendar")
@customer_required("read")
def calendar() -> str:
    """The calendar alone, for leafing through the months in place."""
    now = situation.of(db.session(), current_customer_id())
    return render_template("check_in/_calendar.html", month=reads.month(db.session(), now, _asked()), **words())


@check_in.post("")
@customer_required("write")
def do() -> ResponseReturnValue:
    """Check in for today."""
    try:
        with transaction(db.session):
            day = checkin.check_in(db.session(), current_customer_id(), actor=current_session().id)
    except Refusal as refusal:
        return _answer(refusal.sentence, "warn", status_of(refusal))
    return _answer(_said(day), "pos", 200)


@check_in.post("/time-zone")
@customer_required("write")
def set_time_zone() -> ResponseReturnValue:
    """In which zone this customer's days begin."""
    try:
        with transaction(db.session):
            customer = customers.by_id(db.session(), current_customer_id())
            assert customer is not None, "a membership names its customer"
            zone = request.form.get("time_zone", "")
            customers.set_time_zone(db.session(), customer, zone, actor=current_session().id)
    except Refusal as refusal:
        return render_template("check_in/show.html", **_page({"time_zone": refusal.sentence})), 422
    flash("Your days are counted in the new time zone", "pos")
    return hx.go(url_for("check_in.show"))


def ordinal(number: int) -> str:
    """`7th`, `22nd`."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def day_count(number: int) -> str:
    return f"{number:,} {'day' if number == 1 else 'days'}"


def _answer(told: str, tone: str, status: int) -> ResponseReturnValue:
    """For htmx the panels as they are now, with a word about it; else the page, after what was done by a redirect."""
    if hx.is_partial():
        page = _page()
        return hx.answer(render_template("check_in/_news.html", words=told, tone=tone, **page), status)
    if status == 200:
        flash(told, tone)
        return hx.go(url_for("check_in.show"))
    return render_template("check_in/show.html", **(_page() | {"trouble": told})), status


def _said(day: CheckIn) -> str:
    gave = f"{credit_count(day.amount, sign=True)}" if day.amount else "No credits, but the streak goes on"
    return f"Checked in. {gave}: day {day.streak:,} in a row."


def _page(errors: dict[str, str] | None = None) -> dict[str, Any]:
    session, customer_id = db.session(), current_customer_id()
    now = situation.of(session, customer_id)
    best = reads.longest(session, customer_id)
    return {
        "today": reads.today_of(session, now),
        "terms": now.terms,
        "held": now.held,
        "month": reads.month(session, now, _asked()),
        "longest": best,
        "longest_now": bool(best and now.streak and best.streak_began == (now.last and now.last.streak_began)),
        "balance": credits.balance(session, customer_id).available,
        "may_write": members.allows(current_session().permission, "write"),
        "zones": time_zones.choices(now.customer.time_zone),
        "own_zone": now.customer.time_zone,
        "errors": errors or {},
        "trouble": "",
        **words(),
    }


def words() -> dict[str, Any]:
    """What the templates say days, months and zones with."""
    return {
        "long_day": long_day,
        "short_day": short_day,
        "ordinal": ordinal,
        "day_count": day_count,
        "month_name": lambda month: f"{MONTH_NAMES[month.month - 1]} {month.year}",
        "summary": summary,
        "zone_label": time_zones.label,
        "weekdays": WEEKDAYS,
    }


def summary(month: reads.Month) -> str:
    """`18 of 19 days in November, 240 credits. One day missed, 8 Nov.`"""
    name = MONTH_NAMES[month.month.month - 1]
    if not month.open_days:
        return f"Nothing to check in on in {name} so far."
    told = f"{month.checked} of {day_count(month.open_days)} in {name}, {credit_count(month.credits)}."
    missed = [short_day(day) for day in month.missed]
    if len(missed) == 1:
        return f"{told} One day missed, {missed[0]}."
    if len(missed) > _NAMED_AT_MOST:
        return f"{told} {len(missed)} days missed."
    return (
        f"{told} {len(missed)} days missed, {' and '.join([', '.join(missed[:-1]), missed[-1]])}." if missed else told
    )


def _asked() -> date | None:
    """The month named in the address; today's for none, or for what is no month."""
    found = _MONTH.match(request.args.get("month", ""))
    return date(int(found[1]), int(found[2]), 1) if found else None
