"""Staff: the credit movements of all customers, by type, customer and days (SPEC C6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from wtforms import StringField
from wtforms.validators import ValidationError

from app import clock
from app.admin.roles import staff_reads
from app.credits import everyone, words
from app.credits.everyone import Asked, Movement
from app.customers import search
from app.errors import Invalid
from app.extensions import db
from app.http import csv_file, hx
from app.http.day_range import DayRangeForm

pages = Blueprint("admin_credit_transactions", __name__)

PER_PAGE = 50
IN_A_FILE = 500  # movements fetched at once while a file is streamed


class MovementFilterForm(DayRangeForm):
    """Which movements to show."""

    kinds_chosen: Sequence[str] | None = None

    type = StringField()
    customer = StringField()

    def validate_type(self, field: StringField) -> None:
        try:
            self.kinds_chosen = words.of_type(field.data) if field.data else None
        except Invalid as refusal:
            raise ValidationError(refusal.sentence) from refusal

    @property
    def customer_id(self) -> str | None:
        return (self.customer.data or "").strip()[:64] or None

    @property
    def asked(self) -> Asked:
        return Asked(self.kinds_chosen, self.customer_id, self.first_instant, self.end)

    @property
    def query(self) -> dict[str, Any]:
        """The filter as it stands in an address."""
        named = {"type": self.type.data, "customer": self.customer_id}
        return {**{name: value for name, value in named.items() if value}, **self.days}


@pages.get("/admin/credit-transactions")
@staff_reads
def index() -> Response | str:
    """Every movement of credits, newest first."""
    filters = _filters()
    template = "admin/credit_transactions/_rows.html" if hx.is_partial() else "admin/credit_transactions/index.html"
    return hx.answer(render_template(template, **_shown(filters)), 422 if filters.errors else 200)


@pages.get("/admin/credit-transactions.csv")
@staff_reads
def index_csv() -> Response:
    """The same movements as a file."""
    filters = _filters()
    if filters.errors:
        page = render_template("admin/credit_transactions/index.html", **_shown(filters))
        return current_app.make_response((page, 422))
    heading = ("id", "time", "customer_id", "customer", "type", "title", "detail", "credits", "balance_after")
    return csv_file.answer(f"credit-transactions-{clock.now():%Y-%m-%d}.csv", heading, _csv_rows(filters.asked))


def _filters() -> MovementFilterForm:
    form = MovementFilterForm(formdata=request.args)
    form.validate()
    return form


def _shown(filters: MovementFilterForm) -> dict[str, Any]:
    before = request.args.get("before") or None
    page = everyone.movements(db.session(), filters.asked, before=before, limit=PER_PAGE)
    return {
        "filters": filters,
        "types": [("", "All types"), *words.TYPES],
        "movements": page.found,
        "names": _names(page.found),
        "line_title": words.line_title,
        "named": words.named,
        "older": url_for(".index", before=page.older, **filters.query) if page.older else "",
        "newest": url_for(".index", **filters.query) if before else "",
        "csv": url_for(".index_csv", **filters.query),
    }


def _names(found: Sequence[Movement]) -> dict[str, str]:
    """What the customers of these movements are called, by one SELECT."""
    return search.names(db.session(), sorted({movement.customer_id for movement in found}))


def _csv_rows(asked: Asked) -> Iterator[Sequence[object]]:
    before: str | None = None
    while True:
        page = everyone.movements(db.session(), asked, before=before, limit=IN_A_FILE)
        names = _names(page.found)
        db.session.rollback()  # a slow download must not hold a read transaction open; the cursor needs none
        for movement in page.found:
            line = movement.line
            at, kind = clock.timestamp(line.occurred_at), words.named(line.kind).api
            whose = movement.customer_id, names.get(movement.customer_id, "")
            yield line.entry_id, at, *whose, kind, *words.line_title(line), line.amount, line.balance_after
        before = page.older
        if not before:
            return
