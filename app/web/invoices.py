"""The invoices: a list, one as a sheet, its PDF, and all as CSV (SPEC I1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, make_response, render_template, request, url_for
from flask_login import current_user
from markupsafe import Markup

from app import clock
from app.customers import members
from app.errors import NotFound
from app.extensions import db
from app.http import csv_file, hx
from app.http.auth import current_customer, current_customer_id, customer_required
from app.http.filters import default_currency, number
from app.http.paging import Pager
from app.invoices import buyers, reads
from app.invoices.reads import Document, Row
from app.money import minor_to_micros
from app.payments import disputes, refund_reads
from app.providers.values import Cap
from app.subscriptions import standing
from app.web import invoice_pdf, invoice_sheet, next_charge, refund_rows
from app.web.invoice_forms import STATUS_CHOICES, TYPE_CHOICES, InvoiceFilter
from app.web.invoice_rows import DISPUTED, disputed, history_of, row_of
from app.web.invoice_sheet import Sheet

ROWS = 50
IN_A_FILE = 50  # invoices read at once while the CSV is streamed
HEADING = (
    "number", "issued", "status", "for", "description", "before_tax", "tax", "total", "paid", "credited", "currency",
    "paid_at", "paid_with", "period_start", "period_end", "id",
)  # fmt: skip

invoices = Blueprint("invoices", __name__)


@invoices.get("/invoices")
@customer_required("read")
def show() -> Response:
    """The whole page; for htmx only the list, at the same address."""
    filters = InvoiceFilter.from_address()
    status = 422 if filters.errors else 200
    if hx.is_partial():
        return make_response(render_template("invoices/_list.html", **_list(filters)), status)
    return make_response(_page(filters), status)


@invoices.get("/invoices/<invoice_id>")
@customer_required("read")
def one(invoice_id: str) -> str:
    """One invoice as a sheet, how to pay it, and what happened to it."""
    document = _document(invoice_id)
    provider = current_app.extensions["providers"].get(document.invoice.source)
    taken_back = disputed(document.invoice, disputes.taken_back(db.session(), document.invoice.customer_id))
    sheet = invoice_sheet.sheet_of(document)
    return render_template(
        "invoices/one.html",
        invoice=document.invoice,
        # The document stays as it was issued: that the bank has its payment is said on the page alone.
        sheet=replace(sheet, status=DISPUTED) if taken_back else sheet,
        taken_back=taken_back,
        history=history_of(document),
        credit_notes=document.credit_notes,
        refunds=refund_reads.of_invoice(db.session(), document.invoice.customer_id, document.invoice.id),
        refund_states=refund_rows.STATES,
        may_pay=members.allows(current_user.permission, "write"),
        provider_title=provider.title if provider else "",
        may_retry=provider is None or Cap.RETRY_PAYMENT in provider.capabilities,
    )


@invoices.get("/invoices/<invoice_id>.pdf")
@customer_required("read")
def pdf(invoice_id: str) -> Response:
    """The same sheet on paper."""
    document = _document(invoice_id)
    invoice = document.invoice
    issued = invoice.issued_at or invoice.created_at
    return _download(invoice_sheet.sheet_of(document), issued, invoice_sheet.number_of(invoice))


@invoices.get("/invoices/<invoice_id>/credit-notes/<note_id>.pdf")
@customer_required("read")
def note_pdf(invoice_id: str, note_id: str) -> Response:
    """A credit note on paper: it is a document of its own, with a number of its own."""
    document = _document(invoice_id)
    note = next((each for each in document.credit_notes if each.id == note_id), None)
    if note is None:
        raise NotFound("There is no such credit note.")
    return _download(invoice_sheet.sheet_of_note(document, note), note.created_at, note.number or note.id)


@invoices.get("/invoices.csv")
@customer_required("read")
def listed_csv() -> Response:
    """Every invoice of the filter, a line each."""
    filters = InvoiceFilter.from_address()
    if filters.errors:
        return make_response(_page(filters), 422)
    rows = _csv_rows(current_customer_id(), filters)
    return csv_file.answer(f"invoices-{clock.now():%Y-%m-%d}.csv", HEADING, rows)


def _page(filters: InvoiceFilter) -> str:
    customer = current_customer()
    buyer = buyers.of(db.session(), current_customer_id())
    return render_template(
        "invoices/show.html",
        billed_to=buyer.name if buyer else customer.name,
        upcoming=next_charge.of(db.session(), standing.of(db.session(), current_customer_id())),
        **_list(filters),
    )


def _document(invoice_id: str) -> Document:
    found = reads.one(db.session(), current_customer_id(), invoice_id)
    if found is None:
        raise NotFound("There is no such invoice.")
    return found


def _list(filters: InvoiceFilter) -> dict[str, Any]:
    before = request.args.get("before") or None
    page = reads.page(db.session(), current_customer_id(), filters.wanted, before=before, limit=ROWS)
    sums = reads.sums(db.session(), current_customer_id(), default_currency())
    taken_back = disputes.taken_back(db.session(), current_customer_id())
    return {
        "filters": filters,
        "statuses": STATUS_CHOICES,
        "types": TYPE_CHOICES,
        "rows": [row_of(row, taken_back) for row in page.rows],
        "sums": sums,
        "pager": _pager(filters, page.older, sums.count, is_newest=before is None),
        "filtered": bool(filters.query),
        "clear_link": Markup('<a class="btn" href="{}">Clear filters</a>').format(url_for("invoices.show")),
        "csv_url": url_for("invoices.listed_csv", **filters.query),
        "may_pay": members.allows(current_user.permission, "write"),
    }


def _pager(filters: InvoiceFilter, older: str | None, count: int, *, is_newest: bool) -> Pager:
    noun = "invoice" if count == 1 else "invoices"
    label = "Newest first" if filters.query else f"{number(count)} {noun}, newest first"
    newer = "" if is_newest else url_for("invoices.show", **filters.query)
    return Pager(label, newer, url_for("invoices.show", **filters.query, before=older) if older else "")


def _csv_rows(customer_id: str, filters: InvoiceFilter) -> Iterator[Sequence[object]]:
    session = db.session()

    def page(before: str | None) -> tuple[list[Sequence[object]], str | None]:
        found = reads.page(session, customer_id, filters.wanted, before=before, limit=IN_A_FILE)
        return [_csv_row(row) for row in found.rows], found.older

    return csv_file.walked(session, page)


def _csv_row(row: Row) -> Sequence[object]:
    invoice = row.invoice
    amounts = (
        invoice.net_minor, invoice.tax_minor, invoice.total_minor, invoice.paid_minor, invoice.credited_minor,
    )  # fmt: skip
    instants = (invoice.period_start, invoice.period_end)
    return (
        invoice_sheet.number_of(invoice),
        clock.timestamp(invoice.issued_at or invoice.created_at),
        invoice.status,
        invoice.reason,
        row.title,
        *(csv_file.decimal(minor_to_micros(amount, invoice.currency)) for amount in amounts),
        invoice.currency.upper(),
        clock.timestamp(invoice.paid_at) if invoice.paid_at else "",
        invoice.paid_with,
        *(clock.timestamp(instant) if instant else "" for instant in instants),
        invoice.id,
    )


def _download(sheet: Sheet, issued_at: datetime, number: str) -> Response:
    """The PDF under a name that every file system takes: a provider's numbers are not ours to trust."""
    name = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in number)
    response = make_response(invoice_pdf.pdf_of(sheet, issued_at))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response
