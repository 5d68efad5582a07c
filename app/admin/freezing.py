"""Staff: freezing a wallet by hand, and taking that back. It counts beside the disputes' own freezing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for

from app import ledger
from app.admin.customers import load
from app.admin.roles import actor, staff_moves_money
from app.customers.models import Customer
from app.db import transaction
from app.errors import Conflict, Invalid, Refusal
from app.extensions import db
from app.http import hx
from app.http.errors import status_of
from app.http.filters import default_currency
from app.http.proof import recently_proved
from app.wallet import frozen
from app.wallet.accounts import wallet_of

pages = Blueprint("admin_freezing", __name__)


@pages.get("/admin/customers/<customer_id>/freeze")
@staff_moves_money
def show(customer_id: str) -> Response:
    """Why the wallet is frozen, if it is, and the form that freezes it or takes that back."""
    return _page(load(customer_id))


@pages.post("/admin/customers/<customer_id>/freeze")
@staff_moves_money
@recently_proved
def freeze(customer_id: str) -> Response:
    """Nothing is spent from this wallet until staff thaw it; the customer reads the reason."""
    return _pressed(load(customer_id), frozen.freeze_by_hand, lambda _: ("is frozen", "pos"))


@pages.post("/admin/customers/<customer_id>/thaw")
@staff_moves_money
@recently_proved
def thaw(customer_id: str) -> Response:
    """Take the staff's own freeze back. A dispute may keep the wallet frozen all the same."""
    freed, kept = ("can be spent from again", "pos"), ("is frozen by a dispute still", "warn")
    return _pressed(load(customer_id), frozen.thaw_by_hand, lambda still: kept if still else freed)


def _pressed(customer: Customer, verb: Callable[..., Any], said: Callable[[Any], tuple[str, str]]) -> Response:
    """Do it for the reason typed, and say what came of it, in words and their tone; else show the form again."""
    reason = request.form.get("reason", "")
    try:
        with transaction(db.session()):
            done = verb(db.session(), customer.id, default_currency(), reason=reason, actor=actor())
    except (Invalid, Conflict) as refusal:
        return _page(customer, refusal, reason)
    words, tone = said(done)
    flash(f"The wallet of {customer.name} {words}", tone)
    return hx.go(url_for("admin_customers.show", customer_id=customer.id))


def _page(customer: Customer, refusal: Refusal | None = None, typed: str = "") -> Response:
    balance = ledger.balance(db.session(), wallet_of(customer.id, default_currency()))
    page = render_template(
        "admin/customers/freeze.html",
        customer=customer,
        balance=balance,
        by_hand=frozen.by_hand(db.session(), customer.id, default_currency()),
        why=frozen.why(db.session(), customer.id, balance),
        error=refusal.sentence if refusal else "",
        typed=typed,
    )
    return hx.answer(page, status_of(refusal) if refusal else 200)
