"""Staff: the house's accounts in the books, what moved each of them, and one entry with its legs and its cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from app import clock, ledger
from app.admin.books import amount
from app.admin.entry_causes import causes_of
from app.admin.roles import staff_reads
from app.customers import search
from app.errors import NotFound
from app.extensions import db
from app.http import csv_file, hx, paging
from app.ledger.chart import HOUSE_KINDS
from app.wallet import kinds

pages = Blueprint("admin_ledger", __name__, url_prefix="/admin/books")

PER_PAGE = 50
IN_A_FILE = 500  # lines fetched at once while a file is streamed


@pages.get("/accounts")
@staff_reads
def accounts() -> Response | str:
    """Every house account with its sum, by asset and by what the name begins with."""
    filters, rows = _accounts()
    kept: dict[str, Any] = {name: value or None for name, value in filters.items()}
    shown = {
        "rows": rows,
        "filters": filters,
        "assets": [("", "All"), *((asset, _unit(asset)) for asset in sorted({row.asset for row in _house()}))],
        "amount": amount,
        "about": about,
        "csv": url_for(".accounts_csv", **kept),
    }
    template = "admin/ledger/_accounts.html" if hx.is_partial() else "admin/ledger/accounts.html"
    return hx.answer(render_template(template, **shown))


@pages.get("/accounts.csv")
@staff_reads
def accounts_csv() -> Response:
    """The same as a file; amounts in the asset's smallest unit."""
    _, rows = _accounts()
    heading = ("account", "asset", "legs", "in", "out", "balance")
    cells = [(r.account, r.asset, r.legs, r.amount_in, r.amount_out, r.balance) for r in rows]
    return csv_file.answer(f"ledger-accounts-{clock.now():%Y-%m-%d}.csv", heading, cells)


@pages.get("/accounts/<asset>/<path:account>")
@staff_reads
def account(asset: str, account: str) -> Response | str:
    """One house account's movements, newest first, with its sum after each."""
    before = paging.position(request.args.get("before"))
    lines = ledger.house_lines(db.session(), account, asset, before=before, limit=PER_PAGE + 1)
    if not lines and account.partition(":")[0] not in HOUSE_KINDS:
        raise NotFound("There is no such account.")
    here: dict[str, Any] = {"asset": asset, "account": account}
    more, lines = len(lines) > PER_PAGE, lines[:PER_PAGE]
    shown = {
        "account": account,
        "of": asset,
        "unit": _unit(asset),
        "about": about(account),
        "lines": lines,
        "names": search.names(db.session(), sorted({line.customer_id for line in lines})),
        "amount": amount,
        "kind": title,
        "older": url_for(".account", before=paging.cursor(lines[-1].number), **here) if more else "",
        "newest": url_for(".account", **here) if before else "",
        "csv": url_for(".account_csv", **here),
    }
    template = "admin/ledger/_lines.html" if hx.is_partial() else "admin/ledger/account.html"
    return hx.answer(render_template(template, **shown))


@pages.get("/movements.csv")
@staff_reads
def account_csv() -> Response:
    """All of one account's movements as a file; amounts in the asset's smallest unit."""
    session, asset, account = db.session(), request.args.get("asset", ""), request.args.get("account", "")

    def page(place: str | None) -> tuple[list[Sequence[object]], str]:
        lines = ledger.house_lines(session, account, asset, before=paging.position(place), limit=IN_A_FILE)
        cells: list[Sequence[object]] = [
            (each.entry_id, clock.timestamp(each.recorded_at), each.customer_id, each.kind, each.amount,
             each.balance_after)
            for each in lines
        ]  # fmt: skip
        return cells, paging.cursor(lines[-1].number) if len(lines) == IN_A_FILE else ""

    heading = ("id", "recorded_at", "customer_id", "type", "amount", "balance_after")
    return csv_file.answer("ledger-account.csv", heading, csv_file.walked(session, page))


@pages.get("/entries/<customer_id>/<entry_id>")
@staff_reads
def entry(customer_id: str, entry_id: str) -> Response | str:
    """One entry: its legs, its key, what caused it, and what undid it."""
    session = db.session()
    found = ledger.entry(session, customer_id, entry_id)
    if found is None:
        raise NotFound("There is no such entry.")
    shown = {
        "entry": found,
        "kind": title(found.kind),
        "description": found.data.get("description") or found.data.get("reason") or "",
        "customer_name": search.names(session, [customer_id]).get(customer_id, ""),
        "causes": causes_of(session, found),
        "undone_by": ledger.reversal_of(session, customer_id, entry_id),
        "amount": amount,
        "unit": _unit,
    }
    return hx.answer(render_template("admin/ledger/entry.html", **shown))


def about(account: str) -> str:
    """What an account is for, in the chart's words."""
    return HOUSE_KINDS.get(account.partition(":")[0], "")


def title(kind: str) -> str:
    """A kind of entry in the words of the pages."""
    return kinds.named(kind).title


def _accounts() -> tuple[dict[str, str], list[ledger.TrialRow]]:
    filters = {name: request.args.get(name, "").strip()[:80] for name in ("asset", "name")}
    wanted = [
        row for row in _house() if filters["asset"] in ("", row.asset) and row.account.startswith(filters["name"])
    ]
    return filters, wanted


def _house() -> list[ledger.TrialRow]:
    return [row for row in ledger.trial_balance(db.session()) if row.house]


def _unit(asset: str) -> str:
    return asset if asset == "credits" else asset.upper()
