"""Staff: every movement of money and credits, of all customers (SPEC §10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from sqlalchemy.orm import Session

from app import clock, ledger
from app.admin.roles import may_move_money, staff_reads
from app.admin.transaction_filter import ACCOUNTS, TYPES, TransactionFilter
from app.credits import words as credit_words
from app.customers import search
from app.extensions import db
from app.http import csv_file, hx
from app.ledger import Moved
from app.wallet import reads as wallet_reads

pages = Blueprint("admin_transactions", __name__)

PER_PAGE = 50
IN_A_FILE = 500  # lines fetched at once while a file is streamed


@dataclass(frozen=True, slots=True)
class Sum:
    """What all pages together come to: how many lines, and what came in and went out, in the asset's unit."""

    is_credits: bool
    lines: int
    amount_in: int
    amount_out: int


@pages.get("/admin/transactions")
@staff_reads
def index() -> Response | str:
    """Newest first; for htmx the list alone."""
    filters = TransactionFilter.from_address()
    template = "admin/transactions/_rows.html" if hx.is_partial() else "admin/transactions/index.html"
    return hx.answer(render_template(template, **_shown(filters)), 422 if filters.errors else 200)


@pages.get("/admin/transactions.csv")
@staff_reads
def index_csv() -> Response:
    """The same lines as a file, read while it is sent."""
    filters = TransactionFilter.from_address()
    if filters.errors:
        return current_app.make_response((render_template("admin/transactions/index.html", **_shown(filters)), 422))
    heading = (
        "id", "recorded_at", "occurred_at", "customer_id", "customer", "source", "type", "title", "detail", "amount",
        "unit", "balance_after", "key",
    )  # fmt: skip
    session, asked = db.session(), filters.asked

    def page(place: str | None) -> tuple[list[Sequence[object]], str]:
        found = ledger.lines(session, asked, before=place, limit=IN_A_FILE)
        names = _names(session, found.found)
        return [_csv_row(moved, names.get(moved.customer_id, "")) for moved in found.found], found.older

    return csv_file.answer(f"transactions-{clock.now():%Y-%m-%d}.csv", heading, csv_file.walked(session, page))


def _shown(filters: TransactionFilter) -> dict[str, Any]:
    session, asked = db.session(), filters.asked
    before = request.args.get("before") or None
    page = ledger.lines(session, asked, before=before, limit=PER_PAGE)
    return {
        "filters": filters,
        "accounts": ACCOUNTS,
        "types": [("", "All"), *((word, title) for word, (title, _) in TYPES.items())],
        "moved": page.found,
        "names": _names(session, page.found),
        "title": title_of,
        "sums": _sums(session, asked),
        "older": url_for(".index", before=page.older, **filters.query) if page.older else "",
        "newest": url_for(".index", **filters.query) if before else "",
        "csv": url_for(".index_csv", **filters.query),
        "may_adjust": may_move_money(),
    }


def _sums(session: Session, asked: ledger.Asked) -> list[Sum]:
    """By asset, money first; nothing where the sums kept by day cannot answer the filter."""
    if not asked.by_day_only:
        return []
    found = ledger.summed(
        session, since=asked.first_day, until=asked.last_day, account=asked.account, kinds=asked.kinds
    )
    return sorted((Sum(asset == "credits", *told) for asset, told in found.items()), key=lambda each: each.is_credits)


def title_of(moved: Moved) -> tuple[str, str]:
    """What a row says: a heading, and a second line that may be empty."""
    if moved.account == "credits":
        return credit_words.line_title(moved.line)
    return wallet_reads.line_title(moved.line)


def _names(session: Session, found: Sequence[Moved]) -> dict[str, str]:
    """What the customers of these lines are called, by one SELECT."""
    return search.names(session, sorted({moved.customer_id for moved in found}))


def _csv_row(moved: Moved, name: str) -> Sequence[object]:
    line, whole = moved.line, moved.account == "credits"
    sums = (line.amount, line.balance_after) if whole else map(csv_file.decimal, (line.amount, line.balance_after))
    amount, after = sums
    times = clock.timestamp(line.recorded_at), clock.timestamp(line.occurred_at)
    unit = "credits" if whole else moved.asset.upper()
    return (
        line.entry_id, *times, moved.customer_id, name, moved.account, line.kind, *title_of(moved), amount, unit, after,
        line.key,
    )  # fmt: skip
