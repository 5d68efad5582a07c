"""Staff: the list of customers, and one customer with what staff need to help."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from app import credits, ledger
from app.admin import customer_list, customer_plan, happenings, missing_words
from app.admin.roles import may_move_money, staff_reads
from app.customers import api_keys, members
from app.customers.models import Customer
from app.dossier import missing, things, timeline
from app.dossier.find import brand_name
from app.errors import NotFound
from app.extensions import db
from app.http import csv_file, hx, paging
from app.http.filters import default_currency
from app.metering import reads as metering
from app.payments import disputes, known_cards
from app.payments import reads as payments
from app.payments.titles import title_of
from app.subscriptions import standing
from app.wallet import frozen
from app.wallet import reads as wallet
from app.wallet.accounts import wallet_of

pages = Blueprint("admin_customers", __name__)

PER_PAGE = 25


@pages.get("/admin/customers")
@staff_reads
def index() -> Response | str:
    """Customers, newest first; `q` finds by any name, number or card they have, or leads to what is no customer."""
    if thing := things.find(db.session(), request.args.get("q", "").strip()):
        return hx.go(_address(thing))
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
    """One customer with all there is of them, a little of each. Nothing here waits for a provider."""
    customer, session = load(customer_id), db.session()
    plan = customer_plan.shown(session, customer, default_currency())
    bought = payments.orders_of(session, customer.id, limit=8)
    told = missing.events(session, customer.id, bought)
    said = missing_words.of_orders(bought, told)
    return render_template(
        "admin/customers/show.html",
        customer=customer,
        may_adjust=may_move_money(),
        may_change_plan=may_move_money() and plan["standing"].subscription is not None,
        credits=credits.balance(session, customer.id),
        orders=bought,
        said=said,
        gave_up=missing_words.of_events(told, said),
        title_of=title_of,
        members=members.of_customer(db.session, customer.id),
        keys=api_keys.of_customer(db.session, customer.id),
        cards=_cards(customer),
        taken_back=disputes.taken_back(session, customer.id),
        **plan,
        **_wallet(customer),
    )


@pages.get("/admin/customers/<customer_id>/latest")
@staff_reads
def latest(customer_id: str) -> Response:
    """What happened last, and what they were told: for the customer's page, or as a page of its own."""
    customer, session = load(customer_id), db.session()
    newest = timeline.page(session, customer.id, limit=10)
    shown = {"notices": newest.newest["notice"][:4], "happened": happenings.told(session, newest.lines)}
    template = "admin/customers/_latest.html" if hx.is_partial() else "admin/customers/latest.html"
    return hx.answer(render_template(template, customer=customer, **shown))


@pages.get("/admin/customers/<customer_id>/usage")
@staff_reads
def usage(customer_id: str) -> Response:
    """What is used of each meter, as a panel for the customer's page or as a page of its own."""
    customer = load(customer_id)
    used = metering.meters(db.session(), standing.of(db.session(), customer.id))
    template = "admin/customers/_usage.html" if hx.is_partial() else "admin/customers/usage.html"
    return hx.answer(render_template(template, customer=customer, usage=used, last_day=_last_day))


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


def _last_day(end: datetime) -> datetime:
    """People read periods with their last day: the boundary belongs to the next one."""
    return end - timedelta(seconds=1)


def _address(thing: things.Thing) -> str:
    if thing.what == "entry":
        return url_for("admin_ledger.entry", customer_id=thing.customer_id, entry_id=thing.id)
    if thing.what == "delivery":
        return url_for("admin_outgoing.show", customer_id=thing.customer_id, delivery_id=thing.id)
    return url_for("admin_webhooks.show", event_id=thing.id)


def _cards(customer: Customer) -> list[str]:
    """`Visa ending 4242`, those seen last first; each once."""
    known = known_cards.of_customer(db.session(), customer.id, limit=20)
    return list(dict.fromkeys(f"{brand_name(card.brand)} ending {card.last4}" for card in known))[:3]


def _wallet(customer: Customer) -> dict[str, Any]:
    """The balance, what is held, and some lines. Not `wallet_page`: its totals are no business of this page."""
    session, account = db.session(), wallet_of(customer.id, default_currency())
    before = paging.position(request.args.get("before"))
    limit = PER_PAGE if before else 10
    lines = ledger.history(session, account, before=before, limit=limit + 1)
    balance = ledger.balance(session, account)
    address = url_for(".transactions", customer_id=customer.id)
    return {
        "wallet": {"lines": lines[:limit], "balance": balance, "holds": ledger.live_holds(session, account)},
        "line_title": wallet.line_title,
        "frozen_by": frozen.why(session, customer.id, balance),
        "older": f"{address}?before={paging.cursor(lines[limit - 1].seq)}" if len(lines) > limit else "",
        "newest": address if before else "",
    }
