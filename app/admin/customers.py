"""Staff: the list of customers, and one customer with what staff need to help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from app import activity, credits, ledger
from app.admin import customer_plan, words
from app.admin.roles import may_move_money, staff_reads
from app.customers import api_keys, members, search
from app.customers.models import Customer
from app.errors import NotFound
from app.extensions import db
from app.http import csv_file, hx, paging
from app.http.filters import default_currency
from app.payments import reads as payments
from app.payments.titles import title_of
from app.wallet import reads as wallet
from app.wallet.accounts import wallet_of

pages = Blueprint("admin_customers", __name__)

PER_PAGE = 25
IN_A_FILE = 500  # customers fetched at once while a file is streamed


@pages.get("/admin/customers")
@staff_reads
def index() -> Response | str:
    """Customers, newest first; `q` finds by name, mail address or id."""
    text = request.args.get("q", "")
    before = request.args.get("before") or None
    found = search.search(db.session, text, before=before, limit=PER_PAGE)
    shown = {
        "q": text,
        "customers": found.customers,
        "balances": _balances(found.customers),
        "older": url_for(".index", q=text or None, before=found.older) if found.older else "",
        "first": url_for(".index", q=text or None) if before else "",
    }
    if hx.is_partial():
        return hx.answer(render_template("admin/customers/_rows.html", **shown))
    return render_template("admin/customers/index.html", total=search.count(db.session), **shown)


@pages.get("/admin/customers.csv")
@staff_reads
def index_csv() -> Response:
    """The same list as a file, with exact balances."""
    heading = ("id", "name", "email", "external_id", "created_at", "wallet")
    return csv_file.answer("customers.csv", heading, _csv_rows(request.args.get("q", "")))


@pages.get("/admin/customers/<customer_id>")
@staff_reads
def show(customer_id: str) -> str:
    """One customer: plan, invoices, wallet, transactions, orders, members, keys, activity."""
    customer = load(customer_id)
    happened = activity.of_customer(db.session, customer.id, limit=8).lines
    return render_template(
        "admin/customers/show.html",
        customer=customer,
        may_adjust=may_move_money(),
        credits=credits.balance(db.session(), customer.id),
        orders=payments.orders_of(db.session, customer.id, limit=8),
        title_of=title_of,
        members=members.of_customer(db.session, customer.id),
        keys=api_keys.of_customer(db.session, customer.id),
        happened=words.told(db.session, happened),
        **customer_plan.shown(db.session(), customer, default_currency()),
        **_wallet(customer),
    )


@pages.get("/admin/customers/<customer_id>/transactions")
@staff_reads
def transactions(customer_id: str) -> Response | str:
    """The customer's wallet transactions, page by page."""
    customer = load(customer_id)
    shown = {"customer": customer, **_wallet(customer)}
    if hx.is_partial():
        return hx.answer(render_template("admin/customers/_transactions.html", **shown))
    return render_template("admin/customers/transactions.html", **shown)


def load(customer_id: str) -> Customer:
    """The customer. Raises NotFound."""
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise NotFound(f"There is no customer {customer_id[:64]}.")
    return customer


def _wallet(customer: Customer) -> dict[str, Any]:
    currency = default_currency()
    before = paging.position(request.args.get("before"))
    page = wallet.wallet_page(db.session, customer.id, currency, before=before, limit=PER_PAGE if before else 10)
    address = url_for(".transactions", customer_id=customer.id)
    return {
        "wallet": page,
        "line_title": wallet.line_title,
        "older": f"{address}?before={paging.cursor(page.next_cursor)}" if page.next_cursor else "",
        "newest": address if before else "",
    }


def _balances(customers: Sequence[Customer]) -> dict[str, ledger.Balance]:
    accounts = [wallet_of(customer.id, default_currency()) for customer in customers]
    return {account.customer_id: balance for account, balance in ledger.balances(db.session, accounts).items()}


def _csv_rows(text: str) -> Iterator[Sequence[object]]:
    before: str | None = None
    while True:
        found = search.search(db.session, text, before=before, limit=IN_A_FILE)
        balances = _balances(found.customers)
        rows = [_csv_row(each, balances[each.id]) for each in found.customers]
        db.session.rollback()  # a slow download must not hold a read transaction open; the cursor needs none
        yield from rows
        before = found.older
        if before is None:
            return


def _csv_row(each: Customer, balance: ledger.Balance) -> Sequence[object]:
    money = csv_file.decimal(balance.balance)
    return each.id, each.name, each.email, each.external_id, each.created_at.isoformat(), money
