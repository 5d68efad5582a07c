"""Staff: who has one version of a plan, and what they pay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from app import clock
from app.admin.roles import may_edit_catalogue, staff_reads
from app.catalogue import edit, reads
from app.customers import search
from app.extensions import db
from app.http import csv_file, hx
from app.subscriptions import subscribers

pages = Blueprint("admin_plan_versions", __name__)

PER_PAGE = 50
IN_A_FILE = 500  # customers fetched at once while a file is streamed
STATUSES = {"active": "Active", "past_due": "Past due", "restricted": "Past due", "incomplete": "Open"}


@pages.get("/admin/plans/<plan_id>/versions/<int:number>/customers")
@staff_reads
def customers(plan_id: str, number: int) -> Response | str:
    """Who has it, and what they pay."""
    terms, plan = reads.version_of(db.session(), plan_id, number), edit.one_plan(db.session(), plan_id)
    after = request.args.get("after", "")[:100]
    found, last = subscribers.of_version(db.session(), plan_id, number, after=after, limit=PER_PAGE)
    here: dict[str, Any] = {"plan_id": plan_id, "number": number}
    shown = {
        "terms": terms,
        "subscribers": found,
        "may_move": may_edit_catalogue() and plan.retired_at is None and number != plan.terms.version,
        "names": search.names(db.session(), [each.customer_id for each in found]),
        "statuses": STATUSES,
        "older": url_for(".customers", after=last, **here) if last else "",
        "newest": url_for(".customers", **here) if after else "",
        "csv": url_for(".customers_csv", **here),
    }
    template = "admin/plans/_customers.html" if hx.is_partial() else "admin/plans/customers.html"
    return hx.answer(render_template(template, **shown))


@pages.get("/admin/plans/<plan_id>/versions/<int:number>/customers.csv")
@staff_reads
def customers_csv(plan_id: str, number: int) -> Response:
    """The same list as a file."""
    terms = reads.version_of(db.session(), plan_id, number)
    heading = ("customer_id", "name", "interval", "price_minor", "currency", "status", "since", "period_end")
    return csv_file.answer(f"{terms.key}-version-{number}.csv", heading, _csv_rows(plan_id, number))


def _csv_rows(plan_id: str, number: int) -> Iterator[Sequence[object]]:
    session = db.session()

    def page(after: str | None) -> tuple[list[Sequence[object]], str | None]:
        found, last = subscribers.of_version(session, plan_id, number, after=after or "", limit=IN_A_FILE)
        names = search.names(session, [each.customer_id for each in found])
        rows: list[Sequence[object]] = [
            (
                each.customer_id,
                names.get(each.customer_id, ""),
                each.interval,
                each.price_minor,
                each.currency,
                each.status,
                clock.timestamp(each.started_at),
                clock.timestamp(each.period_end),
            )
            for each in found
        ]
        return rows, last

    return csv_file.walked(session, page)
