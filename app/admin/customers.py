"""Staff: the list of customers, and one customer with what staff need to help."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from app import activity, credits
from app.admin import customer_list, customer_plan, words
from app.admin.roles import may_move_money, staff_reads
from app.customers import api_keys, members
from app.customers.models import Customer
from app.errors import NotFound
from app.extensions import db
from app.http import csv_file, hx, paging
from app.http.filters import default_currency
from app.payments import reads as payments
from app.payments.titles import title_of
from app.wallet import reads as wallet

pages = Blueprint("admin_customers", __name__)

PER_PAGE = 25


@pages.get("/admin/customers")
@staff_reads
def index() -> Response | str:
    """Customers, newest first; `q` finds by any name, number or card they have."""
    shown = customer_list.shown(PER_PAGE)
    if hx.is_partial():
        return hx.answer(render_template("admin/customers/_rows.html", **shown))
    return render_template("admin/customers/index.html", **shown)


@pages.get("/admin/customers.csv")
@staff_reads
def index_csv() -> Response:
    """The same list as a file, with exact balances."""
    rows = customer_list.csv_rows(customer_list.wanted())
    return csv_file.answer("customers.csv", customer_list.HEADING, rows)


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
