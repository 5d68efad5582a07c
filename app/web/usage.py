"""The usage page: what was counted, what it costs, and where it is heading (SPEC §4, U4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint, Response, flash, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from app import clock
from app.customers import members
from app.db import transaction
from app.errors import Invalid, NotFound
from app.extensions import db
from app.http import csv_file, hx
from app.http.auth import current_customer_id, customer_required
from app.http.filters import default_currency
from app.metering import caps, reads
from app.metering.reads import CounterRow
from app.subscriptions import standing
from app.web import model_panel, plan_notice, usage_limits, usage_page
from app.web.usage_limits import CapForm, ThresholdForm
from app.web.usage_page import Asked

CSV_ROWS_AT_ONCE = 1_000
HEADING = ("meter", "day", "source", "quantity", "over", "cost", "currency", "period_start")

usage = Blueprint("usage", __name__)


@usage.get("/usage")
@customer_required("read")
def show() -> ResponseReturnValue:
    """The whole page; for htmx only the chosen meter's days, at the same address."""
    if hx.is_partial():
        return days()
    return _page(_asked())


@usage.get("/usage/days")
@customer_required("read")
def days() -> ResponseReturnValue:
    """The days of one meter and where its units came from, alone."""
    session = db.session()
    found = usage_page.read(session, current_customer_id(), _asked())
    return render_template("usage/_meter.html", **usage_page.partial(session, found))


@usage.get("/usage.csv")
@customer_required("read")
def download() -> Response:
    """What was counted in a period by meter, day and source, written while it is read."""
    found = usage_page.read(db.session(), current_customer_id(), _asked())
    start = found.ahead[0].meter.period.start if found.ahead else found.standing.period.start
    rows = _csv_rows(current_customer_id(), start, default_currency().upper())
    return csv_file.answer(f"usage-{start:%Y-%m-%d}.csv", HEADING, rows)


@usage.post("/usage/spend-cap")
@customer_required("write")
def set_cap() -> ResponseReturnValue:
    """The most that overage may cost in a period, or no limit to it."""
    form = CapForm()
    if not form.validates():
        return _refused(cap_form=form)
    return _set(
        _cap_words(form.micros),
        lambda session, who: usage_limits.set_cap(session, who, form),
        form,
        "cap",
        cap_form=form,
    )


@usage.post("/usage/thresholds")
@customer_required("write")
def set_thresholds() -> ResponseReturnValue:
    """At how many percent of an allowance the customer is told."""
    form = ThresholdForm()
    nothing = not form.typed("percents").strip()
    return _set(
        "We do not tell you of allowances any more." if nothing else "We tell you at these percentages from now on.",
        lambda session, who: usage_limits.set_thresholds(session, who, form),
        form,
        "percents",
        threshold_form=form,
    )


def _set(
    words: str, keep: Callable[[Session, str], None], form: CapForm | ThresholdForm, field: str, **forms: Any
) -> ResponseReturnValue:
    """Keep it and say so; or the form again with the sentence beside the field."""
    try:
        with transaction(db.session()):
            keep(db.session(), current_customer_id())
    except Invalid as refusal:
        form.refuse(refusal, field)
        return _refused(**forms)
    if hx.is_partial():
        return render_template("usage/_limits_news.html", words=words, **_limits())
    flash(words, "pos")
    return hx.go(url_for("usage.show", _anchor="limits"))


def _cap_words(cap: int | None) -> str:
    """What the cap means from now on. One that is reached already refuses at once, so that is said."""
    if cap is None:
        return "Overage is not limited any more."
    session = db.session()
    if caps.spent(session, standing.of(session, current_customer_id())) >= cap:
        return "Overage is at your spend cap already: usage beyond the plan is refused from now on."
    return "Overage stops at your spend cap."


def _refused(**forms: Any) -> ResponseReturnValue:
    if hx.is_partial():
        return render_template("usage/_limits.html", **_limits(**forms)), 422
    return make_response(_page(Asked(), **forms), 422)


def _limits(**forms: Any) -> dict[str, Any]:
    session, customer_id = db.session(), current_customer_id()
    cap, spent = caps.spend_cap(session, customer_id), caps.spent(session, standing.of(session, customer_id))
    return usage_limits.panel(session, customer_id, cap, **forms) | {"cap": cap, "spent": spent}


def _page(asked: Asked, **forms: Any) -> str:
    session, customer_id = db.session(), current_customer_id()
    found = usage_page.read(session, customer_id, asked)
    shown = usage_page.page(session, found)
    notice = plan_notice.of(session, found.standing)
    return render_template(
        "usage/show.html",
        **shown,
        **usage_limits.panel(session, customer_id, shown["cap"], **forms),
        **model_panel.panel(session, customer_id),
        notice=notice if notice and notice.tone else None,
        trouble=None,
        may_pay=members.allows(current_user.permission, "write"),
    )


def _asked() -> Asked:
    """What the address names. Raises NotFound for a period that is no instant."""
    return Asked(_instant(request.args.get("period", "")), request.args.get("meter", ""), _is_table())


def _is_table() -> bool:
    return request.args.get("view") == "table"


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):  # no time at all, or one that UTC has no year for
        pass
    raise NotFound("There is no such period.")


def _csv_rows(customer_id: str, start: datetime, currency: str) -> Iterator[Sequence[object]]:
    session = db.session()

    def page(after: tuple[str, date, str] | None) -> tuple[list[Sequence[object]], tuple[str, date, str] | None]:
        found = reads.counters(session, customer_id, start, after=after, limit=CSV_ROWS_AT_ONCE)
        last = found[-1] if len(found) == CSV_ROWS_AT_ONCE else None
        rows = [_csv_row(row, start, currency) for row in found]
        return rows, (last.meter, last.day, last.source) if last else None

    return csv_file.walked(session, page)


def _csv_row(row: CounterRow, start: datetime, currency: str) -> Sequence[object]:
    cost, period = csv_file.decimal(row.over_micros), clock.timestamp(start)
    return row.meter, row.day.isoformat(), row.source, row.quantity, row.over, cost, currency, period
