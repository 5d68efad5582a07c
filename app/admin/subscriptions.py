"""Staff: everybody's subscriptions, and what they come to each month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from app import clock
from app.admin.customer_plan import STATUSES
from app.admin.roles import staff_reads
from app.errors import Invalid
from app.extensions import db
from app.figures import recurring, subscription_list
from app.figures.asked_subscriptions import STATES, Asked
from app.figures.subscription_list import Row
from app.http import csv_file, hx
from app.http.filters import default_currency
from app.money import minor_to_micros
from app.subscriptions.models import INTERVALS, PAID_BY

pages = Blueprint("admin_subscriptions", __name__)

PER_PAGE = 50
IN_A_FILE = 500  # rows fetched at once while a file is streamed
STATE_CHOICES = (
    ("", "Any"),
    ("paying", "Active and past due, paid"),
    ("active", "Active"),
    ("past_due", "Past due"),
    ("restricted", "Payment failed"),
    ("incomplete", "Waiting"),
    ("canceled", "Ended"),
)
INTERVAL_CHOICES = (("", "Any"), ("month", "Monthly"), ("year", "Annual"))
PAID_BY_CHOICES = (("", "Any"), ("wallet", "Wallet"), ("card", "Card"))
_ALLOWED = {"state": tuple(STATES), "interval": INTERVALS, "paid_by": PAID_BY}


@pages.get("/admin/subscriptions")
@staff_reads
def index() -> Response | str:
    """Newest first; for htmx the list alone."""
    template = "admin/subscriptions/_rows.html" if hx.is_partial() else "admin/subscriptions/index.html"
    return hx.answer(render_template(template, **_shown()))


@pages.get("/admin/subscriptions.csv")
@staff_reads
def index_csv() -> Response:
    """The same subscriptions as a file. `a_year` is exact: the twelfth part of its sum is what they come to."""
    asked, session = _asked(), db.session()
    heading = (
        "id", "customer_id", "customer", "plan", "state", "interval", "price", "coupon", "off", "a_year", "currency",
        "paid_by", "channel", "started_at", "period_end", "past_due_since", "ended_at",
    )  # fmt: skip

    def page(place: str | None) -> tuple[list[Sequence[object]], str | None]:
        found = subscription_list.page(session, asked, before=place, limit=IN_A_FILE)
        return [_csv_row(row) for row in found.rows], found.older

    return csv_file.answer(f"subscriptions-{clock.now():%Y-%m-%d}.csv", heading, csv_file.walked(session, page))


def _asked() -> Asked:
    given = {name: request.args.get(name, "").strip() for name in ("state", "interval", "paid_by", "plan", "customer")}
    for name, allowed in _ALLOWED.items():
        if given[name] and given[name] not in allowed:
            raise Invalid("There is nothing like this to choose.", field=name)
    customer = given.pop("customer").replace("\0", "")[:64]
    return Asked(**{**given, "plan": given["plan"].replace("\0", "")[:40]}, customer_id=customer)


def _shown() -> dict[str, Any]:
    session, asked = db.session(), _asked()
    before = request.args.get("before") or None
    found = subscription_list.page(session, asked, before=before, limit=PER_PAGE)
    groups = recurring.groups(session, asked, default_currency())
    named = {
        "state": asked.state, "plan": asked.plan, "interval": asked.interval, "paid_by": asked.paid_by,
        "customer": asked.customer_id,
    }  # fmt: skip
    kept: dict[str, Any] = {name: value or None for name, value in named.items()}
    return {
        "rows": found.rows,
        "filters": named,
        "states": STATE_CHOICES,
        "intervals": INTERVAL_CHOICES,
        "payers": PAID_BY_CHOICES,
        "words": STATUSES,
        "count": sum(group.count for group in groups),
        "each_month": recurring.each_month(groups),
        "older": url_for(".index", before=found.older, **kept) if found.older else "",
        "newest": url_for(".index", **kept) if before else "",
        "csv": url_for(".index_csv", **kept),
    }


def _csv_row(row: Row) -> Sequence[object]:
    told = row.told
    price, off, a_year = (
        csv_file.decimal(minor_to_micros(each, told.currency))
        for each in (told.price_minor, row.off_minor, row.yearly_minor)
    )
    times = (told.started_at, told.period_end, told.past_due_since, told.ended_at)
    return (
        told.id, told.customer_id, row.customer, row.plan, row.state, told.interval, price, row.coupon, off, a_year,
        told.currency.upper(), told.paid_by, told.channel, *(clock.timestamp(each) if each else "" for each in times),
    )  # fmt: skip
