"""Staff: everybody's invoices, and what the unpaid ones come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import ValidationError

from app import clock
from app.admin.roles import staff_reads
from app.admin.sized import SizedFilter, minor_of
from app.customers import search
from app.extensions import db
from app.http import csv_file, hx
from app.http.filters import default_currency
from app.http.invoice_words import status_word
from app.invoices import everyone
from app.invoices.everyone import STATES, UNPAID, Asked
from app.invoices.models import Invoice
from app.money import minor_to_micros

pages = Blueprint("admin_invoices", __name__)

PER_PAGE = 50
IN_A_FILE = 500  # rows fetched at once while a file is streamed
CHOICES = (
    ("", "Any"),
    ("open", "Open"),
    ("failed", "Payment failed, open"),
    ("paid", "Paid"),
    ("refunded", "Refunded"),
    ("void", "Void"),
    ("uncollectible", "Given up"),
)


class InvoicesFilter(SizedFilter):
    """State, number, customer, size, and the days it was issued in."""

    NAMED = ("state", "number", "customer", "least", "most")
    LONGEST = 64

    state = StringField()
    number = StringField()
    customer = StringField()

    def validate_state(self, field: StringField) -> None:
        if field.data and field.data not in STATES:
            raise ValidationError("Choose one of these.")

    @property
    def asked(self) -> Asked:
        """What to read; a filter that is wrong shows everything, with its error beside it."""
        if self.errors:
            return Asked()
        return Asked(
            self.words("state"), self.words("number"), self.words("customer"), self.size(self.least),
            self.size(self.most), self.first_instant, self.end,
        )  # fmt: skip

    def size(self, field: StringField) -> int | None:
        if not (field.data or "").strip():
            return None
        minor = minor_of(field.data or "")
        if minor > 10**15:
            raise ValidationError("No invoice is as large as this.")
        return minor


@pages.get("/admin/invoices")
@staff_reads
def index() -> Response | str:
    """Newest first; for htmx the list alone."""
    filters = InvoicesFilter.from_address()
    template = "admin/invoices/_rows.html" if hx.is_partial() else "admin/invoices/index.html"
    return hx.answer(render_template(template, **_shown(filters)), 422 if filters.errors else 200)


@pages.get("/admin/invoices.csv")
@staff_reads
def index_csv() -> Response:
    """The same invoices as a file."""
    filters, session = InvoicesFilter.from_address(), db.session()
    if filters.errors:
        return current_app.make_response((render_template("admin/invoices/index.html", **_shown(filters)), 422))
    heading = (
        "id", "number", "customer_id", "customer", "issued", "state", "for", "before_tax", "tax", "total", "paid",
        "credited", "due", "currency", "paid_at", "paid_with", "failed_at", "failure", "source",
    )  # fmt: skip
    asked = filters.asked

    def page(place: str | None) -> tuple[list[Sequence[object]], str | None]:
        found = everyone.page(session, asked, before=place, limit=IN_A_FILE)
        names = _names(session, found.invoices)
        return [_csv_row(each, names.get(each.customer_id, "")) for each in found.invoices], found.older

    return csv_file.answer(f"invoices-{clock.now():%Y-%m-%d}.csv", heading, csv_file.walked(session, page))


def _shown(filters: InvoicesFilter) -> dict[str, Any]:
    session, asked = db.session(), filters.asked
    before = request.args.get("before") or None
    found = everyone.page(session, asked, before=before, limit=PER_PAGE)
    return {
        "filters": filters,
        "states": CHOICES,
        "rows": found.invoices,
        "names": _names(session, found.invoices),
        "word": status_word,
        "sum": everyone.summed(session, asked, default_currency()) if asked.state in UNPAID else None,
        "older": url_for(".index", before=found.older, **filters.query) if found.older else "",
        "newest": url_for(".index", **filters.query) if before else "",
        "csv": url_for(".index_csv", **filters.query),
    }


def _names(session: Session, found: Sequence[Invoice]) -> dict[str, str]:
    return search.names(session, sorted({each.customer_id for each in found}))


def _csv_row(each: Invoice, name: str) -> Sequence[object]:
    minor = (
        each.net_minor, each.tax_minor, each.total_minor, each.paid_minor, each.credited_minor, each.due_minor,
    )  # fmt: skip
    sums = (csv_file.decimal(minor_to_micros(amount, each.currency)) for amount in minor)
    paid_at, failed_at = (clock.timestamp(at) if at else "" for at in (each.paid_at, each.failed_at))
    return (
        each.id, each.number, each.customer_id, name, clock.timestamp(each.issued_at or each.created_at), each.status,
        each.reason, *sums, each.currency.upper(), paid_at, each.paid_with, failed_at, each.failure, each.source,
    )  # fmt: skip
