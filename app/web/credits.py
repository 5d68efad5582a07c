"""The credits page: what there is and when it ends, what was used and earned this month, and every movement (C1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from app import clock, ledger
from app.catalogue import reads as catalogue
from app.checkin import reads as check_ins
from app.credits import reads, words
from app.credits.accounts import credits_of
from app.extensions import db
from app.http import csv_file, hx, paging
from app.http.auth import current_customer_id, customer_required
from app.http.filters import MONTH_NAMES
from app.web import pack_offers
from app.web.account_history import ROWS, Shown, csv_rows, tally_of
from app.web.credit_rows import CreditFilterForm, row_of

credits_page = Blueprint("credits", __name__, url_prefix="/credits")


@credits_page.get("")
@customer_required("read")
def show() -> tuple[str, int]:
    """The whole page; for htmx only the history, at the same address."""
    filters = CreditFilterForm.from_address()
    status = 422 if filters.errors else 200
    if hx.is_partial():
        return render_template("credits/_history.html", **_history(filters)), status
    return render_template("credits/show.html", **_page(filters)), status


@credits_page.get("/history.csv")
@customer_required("read")
def history_csv() -> Response:
    """Every movement of the filter as CSV, written while it is read, so its length costs no memory."""
    filters = CreditFilterForm.from_address()
    if filters.errors:
        return current_app.make_response((render_template("credits/show.html", **_page(filters)), 422))
    heading = ("id", "time", "type", "title", "detail", "credits", "balance_after", "ends_at")
    customer_id = current_customer_id()
    rows = csv_rows(credits_of(customer_id), filters, partial(_csv_rows, db.session(), customer_id))
    return csv_file.answer(f"credits-{clock.now():%Y-%m-%d}.csv", heading, rows)


def _page(filters: CreditFilterForm) -> dict[str, Any]:
    session, customer_id = db.session(), current_customer_id()
    today = clock.now().date()
    offered = catalogue.live(session)
    return {
        "balance": reads.balance(session, customer_id),
        "ending": reads.ending(session, customer_id),
        "titles": words.TITLES,
        "month": reads.month(session, customer_id, today.replace(day=1), today),
        "month_name": MONTH_NAMES[today.month - 1],
        "actions": offered.actions,
        "check_in": check_ins.today(session, customer_id),
        **_history(filters),
        **pack_offers.panel(),
    }


def _history(filters: CreditFilterForm) -> dict[str, Any]:
    read = reads.page(
        db.session(),
        current_customer_id(),
        before=paging.position(request.args.get("before")),
        kinds=filters.kinds_chosen,
        since=filters.first_instant,
        until=filters.end,
        limit=ROWS,
    )
    tally = tally_of(read.totals, filters.kinds_chosen)
    entries = sum(each[0] for each in read.totals.values())
    shown = Shown(filters, read.lines, read.next_cursor, "credits.show", entries)
    had = {words.named(kind).api for kind in read.totals} | {filters.type.data or ""}
    return {
        "filters": filters,
        "types": [("", "All types"), *(pair for pair in words.TYPES if pair[0] in had)],
        "rows": [row_of(line, read.grants.get(line.entry_id)) for line in read.lines],
        "tally": None if filters.dated else tally,  # days have no kept sums in the reader's own zone
        "pager": shown.pager(tally, "entry", "entries"),
        "filtered": bool(filters.query),
        "clear_link": Markup('<a class="btn" href="{}">Clear filters</a>').format(url_for("credits.show")),
        "csv_url": url_for("credits.history_csv", **filters.query),
    }


def _csv_rows(session: Session, customer_id: str, lines: list[ledger.Line]) -> list[Sequence[object]]:
    grants = reads.grants_of(session, customer_id, lines)
    ends = {entry: clock.timestamp(grant.expires_at) for entry, grant in grants.items() if grant.expires_at}
    return [_csv_row(line, ends.get(line.entry_id)) for line in lines]


def _csv_row(line: ledger.Line, ends: str | None) -> Sequence[object]:
    title, detail = words.line_title(line)
    at, kind = clock.timestamp(line.occurred_at), words.named(line.kind).api
    return line.entry_id, at, kind, title, detail, line.amount, line.balance_after, ends
