"""The overview: what is in the wallet, what happened lately, and what else will stand here."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_login import current_user

from app import ledger
from app.customers import members
from app.extensions import db
from app.http.auth import current_customer_id, customer_required
from app.http.filters import default_currency, places_of
from app.ledger import Account
from app.payments import orders
from app.wallet.accounts import wallet_of
from app.web.wallet_rows import row_of

LATEST = 5

overview = Blueprint("overview", __name__)


@overview.get("/")
@customer_required("read")
def show() -> str:
    """The first page after signing in."""
    session, customer_id, currency = db.session(), current_customer_id(), default_currency()
    wallet = wallet_of(customer_id, currency)
    balance = ledger.balance(session, wallet)
    rows = [row_of(line) for line in ledger.history(session, wallet, limit=LATEST)]
    return render_template(
        "overview/show.html",
        wallet_places=places_of((balance.balance, balance.held)),
        row_places=places_of(row.amount for row in rows),
        balance=balance,
        under_way=orders.under_way(session, customer_id),
        credit_count=ledger.balance(session, Account(customer_id, "credits", "credits")).available,
        rows=rows,
        topped_up="topup" in ledger.totals(session, wallet),
        may_pay=members.allows(current_user.permission, "write"),
        email=current_user.email,
        verified=current_user.email_verified,
    )
