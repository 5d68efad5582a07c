"""The wallet page: what is available and why, and every transaction with the balance after it (SPEC W3, W7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_login import current_user
from markupsafe import Markup

from app import clock, ledger
from app.customers import members
from app.extensions import db
from app.flows import refund_request
from app.http import csv_file, hx, paging
from app.http.auth import current_customer_id, customer_required
from app.http.filters import default_currency, places_of
from app.payments import orders
from app.wallet import kinds, reads
from app.wallet.accounts import wallet_of
from app.web import auto_panel, frozen_notice, refund_rows, top_up_panel
from app.web.account_history import ROWS, Shown, csv_rows, tally_of
from app.web.wallet_forms import FilterForm, TopUpForm
from app.web.wallet_rows import hold_line, row_of

wallet = Blueprint("wallet", __name__, url_prefix="/wallet")


@wallet.get("")
@customer_required("read")
def show() -> Response | tuple[str, int]:
    """The whole page; for htmx only the transactions, at the same address."""
    filters = FilterForm.from_address()
    status = 422 if filters.errors else 200
    if hx.is_partial():
        return render_template("wallet/_ledger.html", **_ledger(filters, _page(filters))), status
    return page(filters=filters), status


@wallet.get("/transactions")
@customer_required("read")
def transactions() -> tuple[str, int]:
    """The transactions alone, for refreshing them in place."""
    filters = FilterForm.from_address()
    status = 422 if filters.errors else 200
    return render_template("wallet/_ledger.html", **_ledger(filters, _page(filters))), status


@wallet.get("/balance")
@customer_required("read")
def balance() -> str:
    """The balance alone: fetched again whenever the wallet changed."""
    account = wallet_of(current_customer_id(), default_currency())
    held = ledger.live_holds(db.session(), account, limit=reads.MOST_HOLDS)
    return render_template("wallet/_balance.html", **_balance(ledger.balance(db.session(), account), held))


@wallet.get("/transactions.csv")
@customer_required("read")
def transactions_csv() -> Response:
    """Every transaction of the filter as CSV, written while it is read, so its length costs no memory."""
    filters = FilterForm.from_address()
    if filters.errors:
        return current_app.make_response((page(filters=filters), 422))
    heading = ("id", "time", "type", "title", "detail", "amount", "balance_after", "currency")
    name = f"wallet-{clock.now():%Y-%m-%d}.csv"
    currency = default_currency()
    account = wallet_of(current_customer_id(), currency)
    rows = csv_rows(account, filters, lambda lines: [_csv_row(line, currency) for line in lines])
    return csv_file.answer(name, heading, rows)


def page(
    *,
    filters: FilterForm | None = None,
    form: TopUpForm | None = None,
    trouble: Any = None,
    auto: dict[str, Any] | None = None,
) -> str:
    """The whole wallet page, with a refused top-up form or what stands in its way when there is one.

    `auto` is the panel of automatic top-up when it is not as it rests.
    """
    filters = filters or FilterForm(formdata=None)
    read = _page(filters)
    return render_template(
        "wallet/show.html",
        trouble=trouble,
        notice=frozen_notice.of(db.session(), current_customer_id(), read.balance),
        may_pay=False,  # the form to top up is on this page
        **_balance(read.balance, read.holds),
        **_ledger(filters, read),
        **top_up_panel.panel(form),
        **(auto or auto_panel.panel()),
    )


def _page(filters: FilterForm) -> reads.WalletPage:
    return reads.wallet_page(
        db.session(),
        current_customer_id(),
        default_currency(),
        before=paging.position(request.args.get("before")),
        kinds=filters.kinds_chosen,
        since=filters.first_instant,
        until=filters.end,
        limit=ROWS,
    )


def _balance(balance: ledger.Balance, holds: Sequence[ledger.Hold]) -> dict[str, Any]:
    lines = [hold_line(hold) for hold in holds]
    others = balance.held - sum(line.amount for line in lines)
    places = places_of((balance.balance, others, *(line.amount for line in lines)))
    return {
        "balance": balance,
        "holds": lines,
        "other_holds": others,
        "balance_places": places,
        "under_way": orders.under_way(db.session(), current_customer_id()),
        "asked_back": refund_request.open_one(db.session(), current_customer_id()) if balance.paid > 0 else None,
        "may_ask_back": balance.paid > 0 and members.allows(current_user.permission, "write"),
    }


def _ledger(filters: FilterForm, read: reads.WalletPage) -> dict[str, Any]:
    tally = tally_of(read.totals, filters.kinds_chosen)
    shown = Shown(filters, read.lines, read.next_cursor, "wallet.show", read.balance.entries)
    address = url_for("wallet.show")
    beside = refund_rows.marks(
        db.session(), current_customer_id(), default_currency(), read.lines, frozen=read.balance.frozen
    )
    return {
        "filters": filters,
        "types": _types(read.totals, filters.type.data or ""),
        "rows": [row_of(line, beside.get(line.entry_id)) for line in read.lines],
        "row_places": places_of((*(line.amount for line in read.lines), *(line.balance_after for line in read.lines))),
        # Days have no kept tallies, and summing a million rows is no way to draw a page.
        "tally": None if filters.dated else tally,
        "pager": shown.pager(tally, "transaction", "transactions"),
        "filtered": bool(filters.query),
        "clear_link": Markup('<a class="btn" href="{}">Clear filters</a>').format(address),
        "csv_url": url_for("wallet.transactions_csv", **filters.query),
    }


def _types(totals: Mapping[str, object], chosen: str) -> list[tuple[str, str]]:
    """What there is to choose from: the types this wallet has had, and the one asked for."""
    had = {kinds.named(kind).api for kind in totals} | {chosen}
    return [("", "All types"), *(pair for pair in kinds.TYPES if pair[0] in had)]


def _csv_row(line: ledger.Line, currency: str) -> Sequence[object]:
    title, detail = reads.line_title(line)
    amount, after = csv_file.decimal(line.amount), csv_file.decimal(line.balance_after)
    kind = kinds.named(line.kind).api
    return line.entry_id, clock.timestamp(line.occurred_at), kind, title, detail, amount, after, currency.upper()
