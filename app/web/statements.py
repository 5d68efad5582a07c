"""Monthly statements: every month on a list, one with all its movements, and as CSV and PDF (SPEC W8)."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for

from app.errors import Invalid
from app.extensions import db
from app.http import csv_file
from app.http.auth import current_customer, current_customer_id, customer_required
from app.http.filters import default_currency
from app.http.paging import Pager
from app.wallet.statements import Month, months, named
from app.web import invoice_pdf, statement_sheet
from app.web.statement_sheet import Section

MONTHS_SHOWN = 24
ROWS = 200
MOST_ON_PAPER = 5_000  # movements: more than that is for a spreadsheet

statements = Blueprint("statements", __name__, url_prefix="/wallet/statements")


@statements.get("")
@customer_required("read")
def index() -> str:
    """The months, newest first."""
    skip = _number("skip")
    found = list(islice(months(current_customer().created_at), skip, skip + MONTHS_SHOWN + 1))
    older = url_for(".index", skip=skip + MONTHS_SHOWN) if len(found) > MONTHS_SHOWN else ""
    newer = url_for(".index", skip=max(0, skip - MONTHS_SHOWN) or None) if skip else ""
    shown = [(month, statement_sheet.title_of(month)) for month in found[:MONTHS_SHOWN]]
    return render_template("wallet/statements.html", months=shown, pager=Pager("Newest first", newer, older))


@statements.get("/<month>")
@customer_required("read")
def show(month: str) -> str:
    """One month: opening balance, movements, closing balance; the wallet's and the credits'."""
    which, skip = _named(month), _number("skip")
    parts = _sections(which)
    longest = max(each.part.count for each in parts)
    return render_template(
        "wallet/statement.html",
        month=which,
        title=statement_sheet.title_of(which),
        span=statement_sheet.span_of(which),
        sections=[(each, list(each.rows(db.session(), skip=skip, limit=ROWS))) for each in parts],
        is_first=skip == 0,
        is_last=longest <= skip + ROWS,
        pager=_pager(which, skip, longest),
        on_paper=_fits(parts),
    )


@statements.get("/<month>.csv")
@customer_required("read")
def as_csv(month: str) -> Response:
    """The same as a file, written while it is read."""
    which = _named(month)
    rows = statement_sheet.csv_rows(db.session(), _sections(which))
    return csv_file.answer(f"statement-{which.name}.csv", statement_sheet.HEADING, rows)


@statements.get("/<month>.pdf")
@customer_required("read")
def as_pdf(month: str) -> Response:
    """The same on paper. Of a closed month it is the same file, byte by byte, whenever it is made."""
    which = _named(month)
    parts = _sections(which)
    if not _fits(parts):
        raise Invalid(f"This month has more than {MOST_ON_PAPER:,} movements. Take the CSV.", field="month")
    response = make_response(invoice_pdf.typeset("statement.typ", _paper(which, parts), which.end))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="statement-{which.name}.pdf"'
    return response


def _paper(month: Month, parts: list[Section]) -> dict[str, Any]:
    return {
        "title": f"Statement, {statement_sheet.title_of(month)}",
        "customer": current_customer_id(),
        "span": statement_sheet.span_of(month),
        "open": not month.is_closed,
        "sections": [
            {
                "name": f"{each.name} ({each.unit})" if each.name == "Wallet" else each.name,
                "opening": each.opening,
                "closing": each.closing,
                "rows": [asdict(row) for row in each.rows(db.session())],
            }
            for each in parts
        ],
    }


def _named(name: str) -> Month:
    return named(name, current_customer().created_at)


def _sections(month: Month) -> list[Section]:
    return statement_sheet.sections(db.session(), current_customer_id(), default_currency(), month)


def _fits(parts: list[Section]) -> bool:
    return sum(each.part.count for each in parts) <= MOST_ON_PAPER


def _pager(month: Month, skip: int, longest: int) -> Pager:
    def at(place: int) -> str:
        return url_for(".show", month=month.name, skip=place or None)

    older = at(max(0, skip - ROWS)) if skip else ""
    return Pager("Oldest first", at(skip + ROWS) if longest > skip + ROWS else "", older)


def _number(name: str) -> int:
    text = request.args.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise Invalid("This page link is not valid. Start again from the newest.", field=name)
    return int(text)
