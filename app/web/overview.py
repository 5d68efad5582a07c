"""The overview: what is paid next, what is in the wallet, and what happened lately."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_login import current_user

from app import ledger
from app.catalogue import reads
from app.customers import members
from app.extensions import db
from app.http.auth import current_customer_id, customer_required
from app.http.filters import default_currency, places_of
from app.ledger import Account
from app.payments import orders
from app.subscriptions import standing
from app.wallet.accounts import wallet_of
from app.web import next_charge, plan_cards, plan_notice
from app.web.plan_notice import Notice
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
    now = standing.of(session, customer_id)
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
        standing=now,
        plan=now.plan,
        charge=next_charge.of(session, now),
        included=plan_cards.included(now, reads.live(session)) if now.plan else [],
        notice=_pressing(plan_notice.of(session, now)),
        trouble=None,
        email=current_user.email,
        verified=current_user.email_verified,
    )


def _pressing(found: Notice | None) -> Notice | None:
    """Only what needs a person now: the rest is on the plan's page."""
    return found if found and found.tone else None
