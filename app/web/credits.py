"""The credits page: what there is and when it ends, what was used and earned this month, and every movement (C1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from markupsafe import Markup

from app import clock, ledger
from app.catalogue import reads as catalogue
from app.checkin import reads as check_ins
from app.credits import reads, words
from app.credits.accounts import credits_of
from app.extensions import db
from app.http import csv_file, hx, paging
from app.http.auth import current_customer_id, customer_required
from app.http.filters import MONTH_NAMES, number
from app.http.paging import Pager
from app.web import pack_offers
from app.web.credit_rows import CreditFilterForm, Tally, filters_from_address, row_of, tally_of

ROWS = 50
CSV_ROWS_AT_ONCE = 1_000

credits_page = Blueprint("credits", __name__, url_prefix="/credits")


@credits_page.get("")
@customer_required("read")
def show() -> tuple[str, int]:
    """The whole page; for htmx only the history, at the same address."""
    filters = filters_from_address()
    status = 422 if filters.errors else 200
    if hx.is_partial():
        return render_template("credits/_history.html", **_history(filters)), status
    return render_template("credits/show.html", **_page(filters)), status


@credits_page.get("/history.csv")
@customer_required("read")
def history_csv() -> Response:
    """Every movement of the filter as CSV, written while it is read, so its length costs no memory."""
    filters = filters_from_address()
    if filters.errors:
        return current_app.make_response((render_template("credits/show.html", **_page(filters)), 422))
    heading = ("id", "time", "type", "title", "detail", "credits", "balance_after", "ends_at")
    return csv_file.answer(f"credits-{clock.now():%Y-%m-%d}.csv", heading, _csv_rows(current_customer_id(), filters))


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
    had = {words.named(kind).api for kind in read.totals} | {filters.type.data or ""}
    return {
        "filters": filters,
        "types": [("", "All types"), *(pair for pair in words.TYPES if pair[0] in had)],
        "rows": [row_of(line, read.grants.get(line.entry_id)) for line in read.lines],
        "tally": None if filters.dated else tally,  # days have no kept sums in the reader's own zone
        "pager": _pager(filters, read, tally),
        "filtered": bool(filters.query),
        "clear_link": Markup('<a class="btn" href="{}">Clear filters</a>').format(url_for("credits.show")),
        "csv_url": url_for("credits.history_csv", **filters.query),
    }


def _pager(filters: CreditFilterForm, read: reads.CreditPage, tally: Tally) -> Pager:
    count = f"{number(tally.entries)} {'entry' if tally.entries == 1 else 'entries'}, newest first"
    older = _address(filters, before=read.next_cursor) if read.next_cursor else ""
    return Pager("Newest first" if filters.dated else count, _newer(filters, read), older)


def _newer(filters: CreditFilterForm, read: reads.CreditPage) -> str:
    """The page before this one; a filtered one leads back to its newest page, as on the wallet's."""
    if not request.args.get("before"):
        return ""
    if filters.query or not read.lines:
        return _address(filters, before=None)
    first = read.lines[0].seq + ROWS + 1
    return _address(filters, before=first if first <= sum(each[0] for each in read.totals.values()) else None)


def _address(filters: CreditFilterForm, *, before: int | None) -> str:
    place: dict[str, Any] = {"before": paging.cursor(before)} if before else {}
    return url_for("credits.show", **filters.query, **place)


def _csv_rows(customer_id: str, filters: CreditFilterForm) -> Iterator[Sequence[object]]:
    session, account = db.session(), credits_of(customer_id)
    chosen, since, until = filters.kinds_chosen, filters.first_instant, filters.end

    def page(before: int | None) -> tuple[list[Sequence[object]], int | None]:
        lines = ledger.history(
            session, account, before=before, limit=CSV_ROWS_AT_ONCE, kinds=chosen, since=since, until=until
        )
        grants = reads.grants_of(session, customer_id, lines)
        ends = {entry: clock.timestamp(grant.expires_at) for entry, grant in grants.items() if grant.expires_at}
        rows = [_csv_row(line, ends.get(line.entry_id)) for line in lines]
        return rows, lines[-1].seq if len(lines) == CSV_ROWS_AT_ONCE else None

    return csv_file.walked(session, page)


def _csv_row(line: ledger.Line, ends: str | None) -> Sequence[object]:
    title, detail = words.line_title(line)
    at, kind = clock.timestamp(line.occurred_at), words.named(line.kind).api
    return line.entry_id, at, kind, title, detail, line.amount, line.balance_after, ends
