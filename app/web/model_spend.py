"""Spend on model calls: a part of the usage page with addresses of its own, a calendar month at a time (SPEC L1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from flask import Blueprint, Response, render_template

from app.extensions import db
from app.http import csv_file
from app.http.auth import current_customer_id, customer_required
from app.http.filters import default_currency
from app.llm import reads
from app.llm.reads import DaySpend
from app.web import model_panel

CSV_ROWS_AT_ONCE = 1_000
HEADING = (
    "day", "model", "api_key", "calls", "prompt_tokens", "completion_tokens", "cached_tokens", "cost", "currency",
)  # fmt: skip

model_spend = Blueprint("model_spend", __name__)


@model_spend.get("/usage/models")
@customer_required("read")
def show() -> str:
    """The two tables of one month, alone."""
    return render_template("usage/_models.html", **model_panel.panel(db.session(), current_customer_id()))


@model_spend.get("/usage/models.csv")
@customer_required("read")
def download() -> Response:
    """A month's sums by day, model and API key, written while they are read."""
    first = model_panel.month_asked()
    rows = _csv_rows(current_customer_id(), first, default_currency().upper())
    return csv_file.answer(f"model-calls-{first:%Y-%m}.csv", HEADING, rows)


def _csv_rows(customer_id: str, first: date, currency: str) -> Iterator[Sequence[object]]:
    session, end = db.session(), model_panel.after(first)

    def page(after: DaySpend | None) -> tuple[list[Sequence[object]], DaySpend | None]:
        found = reads.days(session, customer_id, first, end, after=after, limit=CSV_ROWS_AT_ONCE)
        return list(_csv_lines(found, currency)), found[-1] if len(found) == CSV_ROWS_AT_ONCE else None

    return csv_file.walked(session, page)


def _csv_lines(rows: Iterable[DaySpend], currency: str) -> Iterator[Sequence[object]]:
    for row in rows:
        one = row.spend
        figures = (one.calls, one.prompt_tokens, one.completion_tokens, one.cached_tokens)
        yield row.day.isoformat(), one.model, one.key_id, *figures, csv_file.decimal(one.cost_micros), currency
