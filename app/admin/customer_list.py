"""The list of customers: what staff look for, what each line says of a customer, and the same as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import Session

from app import clock, ledger
from app.catalogue import edit
from app.credits.accounts import credits_of
from app.dossier import find
from app.dossier.find import FREE, Found, FoundOne, Wanted
from app.errors import Invalid
from app.extensions import db
from app.http import csv_file
from app.http.filters import default_currency
from app.money import minor_to_micros
from app.wallet.accounts import wallet_of

PER_PAGE = 25
IN_A_FILE = 500  # customers fetched at once while a file is streamed
HEADING = (
    *("id", "name", "email", "external_id", "created_at"),
    *("plan", "status", "each_month", "currency", "wallet", "credits", "found_by"),
)
STATUSES = [("", "Any status"), ("active", "Active"), ("past_due", "Past due"), (FREE, "Free")]
_WORDS = {FREE: "Free", "active": "Active", "past_due": "Past due", "restricted": "Payment failed"}


@dataclass(frozen=True)
class Line:
    """A customer with what they hold. `each_month` in minor units, None where nothing is billed."""

    customer: FoundOne
    status: str
    each_month: int | None
    wallet: ledger.Balance
    credits: ledger.Balance


def wanted() -> Wanted:
    """What the address asks for. Raises Invalid for a word it does not know."""
    args = request.args
    asked = Wanted(
        text=args.get("q", ""),
        plan=args.get("plan", "").replace("\0", ""),
        status=args.get("status", ""),
        frozen=args.get("frozen") == "1",
        disputed=args.get("disputed") == "1",
    )
    if asked.status not in dict(STATUSES):
        raise Invalid("There is no such status.", field="status")
    return asked


def shown(per_page: int) -> dict[str, Any]:
    """Names for `admin/customers/_rows.html`."""
    asked, before = wanted(), request.args.get("before") or None
    session, kept = db.session(), _kept(asked)
    found = find.find(session, asked, before=before, limit=per_page)
    return {
        "wanted": asked,
        "lines": _lines(session, found),
        "plans": [
            ("", "All plans"),
            (FREE, "Free"),
            *((p.id, v.name) for p, v in edit.every_plan(session)),
        ],
        "statuses": STATUSES,
        "older": url_for("admin_customers.index", before=found.older, **kept) if found.older else "",
        "first": url_for("admin_customers.index", **kept) if before else "",
        "csv": url_for("admin_customers.index_csv", **kept),
    }


def csv_rows(asked: Wanted) -> Iterator[Sequence[object]]:
    """The same lines, all of them; the session holds no transaction between two of them."""
    session = db.session()

    def page(before: str | None) -> tuple[list[Sequence[object]], str | None]:
        found = find.find(session, asked, before=before, limit=IN_A_FILE)
        return [_csv_row(line) for line in _lines(session, found)], found.older

    return csv_file.walked(session, page)


def _kept(asked: Wanted) -> dict[str, Any]:
    flags = {"frozen": "1" if asked.frozen else None, "disputed": "1" if asked.disputed else None}
    return {"q": asked.text or None, "plan": asked.plan or None, "status": asked.status or None, **flags}


def _lines(session: Session, found: Found) -> list[Line]:
    currency = default_currency()
    accounts = [account for one in found.rows for account in (wallet_of(one.id, currency), credits_of(one.id))]
    held = ledger.balances(session, accounts)
    return [
        Line(one, _WORDS.get(one.status, one.status), _each_month(one), held[wallet_of(one.id, currency)],
             held[credits_of(one.id)])
        for one in found.rows
    ]  # fmt: skip


def _each_month(one: FoundOne) -> int | None:
    """A year's price by the month, rounded to the nearest minor unit, as a list may."""
    if one.price_minor is None:
        return None
    return (one.price_minor + 6) // 12 if one.interval == "year" else one.price_minor


def _csv_row(line: Line) -> Sequence[object]:
    one = line.customer
    each_month = None
    if line.each_month is not None and one.currency is not None:
        each_month = csv_file.decimal(minor_to_micros(line.each_month, one.currency))
    facts = (one.id, one.name, one.email, one.external_id, clock.timestamp(one.created_at), one.plan, line.status)
    held = (csv_file.decimal(line.wallet.balance), line.credits.balance)
    return *facts, each_month, one.currency and one.currency.upper(), *held, "; ".join(one.why)
