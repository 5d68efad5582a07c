"""Staff: adjusting a wallet. Before and after are shown before the button works, and the customer reads the reason.

Above the limit nothing moves: it waits in the queue (`adjustment_queue`) for a second person, and the button says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from wtforms import StringField
from wtforms.validators import AnyOf

from app import adjustments, ids, ledger
from app.adjustments import Asked, Wish
from app.admin.customers import load
from app.admin.roles import actor, staff_moves_money
from app.config import Settings
from app.customers.models import Customer
from app.db import transaction
from app.errors import IdempotencyKeyReused, Refusal
from app.extensions import db
from app.http import hx
from app.http.auth import current_session
from app.http.filters import default_currency, exact
from app.http.forms import Form, MoneyField
from app.http.proof import recently_proved
from app.money import minor_to_micros
from app.wallet.accounts import wallet_of

pages = Blueprint("admin_adjustments", __name__)

MOST = 100_000_000  # minor units: a million dollars; more than that by hand is a typing mistake
DIRECTIONS = {"add": "Add", "take": "Take"}
FORM_KEY = re.compile(r"frm_[0-9a-z]{26}\Z")


class AdjustmentForm(Form):
    """What is typed. `confirmed` is the signed amount, in minor units, whose before and after the person has seen."""

    direction = StringField(
        default="add", validators=[AnyOf(DIRECTIONS, message="Choose Add or Take.")], id="direction"
    )
    amount = MoneyField(minimum=1, maximum=MOST, id="amount")
    reason = StringField(id="reason")
    ticket = StringField(id="ticket")
    confirmed = StringField()
    form_key = StringField()

    @property
    def signed(self) -> int | None:
        """The amount in minor units, below zero when it is taken; None until it is valid."""
        minor = self.amount.minor
        return None if minor is None else (-minor if self.direction.data == "take" else minor)


@dataclass(frozen=True)
class Preview:
    """What an adjustment would do, in micros, whether the wallet can bear it, and whether a second person is needed."""

    before: int
    change: int
    available: int
    needs_second: bool = False

    @property
    def after(self) -> int:
        return self.before + self.change

    @property
    def possible(self) -> bool:
        return self.change >= 0 or self.available + self.change >= 0


@pages.get("/admin/customers/<customer_id>/adjust")
@staff_moves_money
def new(customer_id: str) -> Response | str:
    """The empty form, as a page or for the dialog on the customer's page."""
    return _form(load(customer_id), AdjustmentForm(formdata=None, form_key=ids.new("frm")))


@pages.get("/admin/customers/<customer_id>/adjust/preview")
@staff_moves_money
def preview(customer_id: str) -> Response:
    """Before and after for what is typed so far; nothing while it is no amount yet."""
    customer = load(customer_id)
    form = AdjustmentForm(formdata=request.args)
    form.validate()
    shown = _preview(customer, form.signed)
    body = render_template("admin/adjustments/_preview.html", customer=customer, preview=shown, form=form)
    return hx.answer(body + render_template("admin/adjustments/_go.html", preview=shown, swapped=True))


@pages.post("/admin/customers/<customer_id>/adjust")
@staff_moves_money
@recently_proved
def create(customer_id: str) -> Response | str:
    """Adjust once per form, when the amount asked for is the one whose result was shown; else show it."""
    customer = load(customer_id)
    form = AdjustmentForm()
    if not form.validate() or form.signed is None:
        return _form(customer, form, 422)
    if form.confirmed.data != str(form.signed) or not FORM_KEY.match(form.form_key.data or ""):
        return _ask(customer, form)
    try:
        asked = _adjust(customer, form, form.signed)
    except IdempotencyKeyReused:
        form.form_key.data = ids.new("frm")
        form.confirmed.data = ""
        form.amount.errors = [
            *form.amount.errors,
            "This form was sent before with another amount or reason. Check the sum once more.",
        ]
        return _form(customer, form, 409)
    except Refusal as refusal:
        form.refuse(refusal, "amount")
        return _form(customer, form, 422)
    return told(asked, f"{exact(_micros(form.signed), sign=True)} on the wallet of {customer.name}")


def told(asked: Asked, words: str) -> Response:
    """Where staff go from the form: to the customer when it was made, else to where it waits."""
    if asked.row.state == "made":
        flash(words, "pos")
        return hx.go(url_for("admin_customers.show", customer_id=asked.row.customer_id))
    flash(f"{words} waits for a second person. Nothing has moved.", "warn")
    return hx.go(url_for("admin_adjustment_queue.show", adjustment_id=asked.row.id))


def settings() -> Settings:
    """The limits above which a second person is needed."""
    found: Settings = current_app.extensions["settings"]
    return found


def _adjust(customer: Customer, form: AdjustmentForm, signed: int) -> Asked:
    wish = Wish(
        customer_id=customer.id,
        asset=default_currency(),
        amount=_micros(signed),
        reason=form.reason.data or "",
        key=form.form_key.data or "",
        ticket=form.ticket.data or None,
    )
    by = {"by": actor(), "person": current_session().id}
    with transaction(db.session):
        return adjustments.ask(db.session(), wish, **by, limit=_limit(), base_url=settings().base_url)


def _ask(customer: Customer, form: AdjustmentForm) -> Response | str:
    """The step in between, which a browser without script sees: the reason is checked, the result shown."""
    reason = (form.reason.data or "").strip()
    if not FORM_KEY.match(form.form_key.data or ""):
        form.form_key.data = ids.new("frm")
    if len(reason) < 3:
        form.reason.errors = ["Write a reason of 3 characters or more. The customer reads it."]
        return _form(customer, form, 422)
    return _form(customer, form)


def _form(customer: Customer, form: AdjustmentForm, status: int = 200) -> Response | str:
    shown = _preview(customer, None if form.amount.errors else form.signed)
    template = "admin/adjustments/_form.html" if hx.is_partial() else "admin/adjustments/new.html"
    body = render_template(
        template, customer=customer, form=form, preview=shown, in_page=not hx.is_partial(), directions=DIRECTIONS
    )
    return hx.answer(body, status)


def _preview(customer: Customer, signed: int | None) -> Preview | None:
    if signed is None:
        return None
    balance = ledger.balance(db.session, wallet_of(customer.id, default_currency()))
    change = _micros(signed)
    return Preview(balance.balance, change, balance.available, adjustments.needs_second(change, _limit()))


def _limit() -> int:
    return _micros(settings().adjustment_limit)


def _micros(minor: int) -> int:
    return minor_to_micros(minor, default_currency())
