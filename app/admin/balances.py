"""Staff: what customers hold in wallets and credits, which is what we owe them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from app import clock, ledger
from app.admin.roles import staff_reads
from app.customers import search
from app.errors import Invalid
from app.extensions import db
from app.http import csv_file, hx

pages = Blueprint("admin_balances", __name__)

PER_PAGE = 50
IN_A_FILE = 500  # rows fetched at once while a file is streamed
KINDS = (("wallet", "Wallets"), ("credits", "Credits"))
WHICH = (
    ("some", "Not empty"),
    ("above", "Above zero"),
    ("below", "Below zero"),
    ("held", "With something held"),
    ("frozen", "Frozen"),
)


@pages.get("/admin/balances")
@staff_reads
def index() -> Response | str:
    """Newest customers first; for htmx the list alone."""
    template = "admin/balances/_rows.html" if hx.is_partial() else "admin/balances/index.html"
    return hx.answer(render_template(template, **_shown()))


@pages.get("/admin/balances.csv")
@staff_reads
def index_csv() -> Response:
    """The same balances as a file: money as decimal numbers, credits whole."""
    session, (kind, which) = db.session(), _asked()
    heading = ("customer_id", "customer", "source", "unit", "balance", "held", "available", "given", "frozen")

    def page(place: str | None) -> tuple[list[Sequence[object]], str | None]:
        found = ledger.account_page(session, kind, which=which, before=place, limit=IN_A_FILE)
        names = search.names(session, [account.customer_id for account, _ in found.found])
        rows = [_csv_row(names, account, balance) for account, balance in found.found]
        return rows, found.older

    return csv_file.answer(f"balances-{clock.now():%Y-%m-%d}.csv", heading, csv_file.walked(session, page))


def _asked() -> tuple[str, str]:
    kind, which = request.args.get("account", "") or "wallet", request.args.get("which", "") or "some"
    if kind not in dict(KINDS) or which not in dict(WHICH):
        raise Invalid("There is nothing like this to choose.", field="which")
    return kind, which


def _shown() -> dict[str, Any]:
    session, (kind, which) = db.session(), _asked()
    before = (request.args.get("before") or "").replace("\0", "") or None
    found = ledger.account_page(session, kind, which=which, before=before, limit=PER_PAGE)
    kept: dict[str, Any] = {"account": kind, "which": which}
    return {
        "rows": found.found,
        "names": search.names(session, [account.customer_id for account, _ in found.found]),
        "kind": kind,
        "which": which,
        "kinds": KINDS,
        "choices": WHICH,
        "sums": ledger.account_sums(session, kind, (which,))[which],
        "older": url_for(".index", before=found.older, **kept) if found.older else "",
        "newest": url_for(".index", **kept) if before else "",
        "csv": url_for(".index_csv", **kept),
    }


def _csv_row(names: dict[str, str], account: ledger.Account, balance: ledger.Balance) -> Sequence[object]:
    whole = account.kind == "credits"
    figures = (balance.balance, balance.held, balance.available, balance.promo)
    said = figures if whole else map(csv_file.decimal, figures)
    unit = "credits" if whole else account.asset.upper()
    whose = account.customer_id, names.get(account.customer_id, "")
    return (*whose, account.kind, unit, *said, "yes" if balance.frozen else "no")
