"""Paying back: a top-up within its seven days, seen to the cent before it is done; and asking for the balance (W4)."""

from __future__ import annotations

import re

from flask import Blueprint, Response, current_app, flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms import StringField

from app import ids, ledger
from app.errors import Refusal
from app.extensions import db
from app.flows import refund_request, refund_tax, refund_top_up, take_bonus_back
from app.flows.refund_top_up import Wish
from app.http import hx, limits, refused
from app.http.auth import current_customer_id, customer_required
from app.http.errors import status_of
from app.http.filters import cents, default_currency
from app.http.forms import Form, MoneyField
from app.money import minor_to_micros
from app.payments import returned
from app.payments.refunds import MoreThanRefundable
from app.wallet import auto_top_up
from app.wallet.accounts import wallet_of
from app.wallet.refundable import TopUp
from app.web import top_up_panel

refunds = Blueprint("refunds", __name__, url_prefix="/wallet")

_FORM_KEY = re.compile(r"form_[0-9a-z]{26}\Z", re.ASCII)
_LARGEST = 100_000_000  # minor units; what can go back says the rest
_LONGEST_REASON = 300


class RefundForm(Form):
    """How much to take out. `confirmed` is the sum, in minor units, whose bill the person has seen."""

    amount = MoneyField(minimum=1, maximum=_LARGEST, id="amount")
    confirmed = StringField()
    form_key = StringField()

    @property
    def minor(self) -> int:
        """In minor units, once the form has validated."""
        assert self.amount.minor is not None
        return self.amount.minor


class RequestForm(Form):
    """Why somebody wants their balance back, if they like to say."""

    reason = StringField(id="reason")
    form_key = StringField()


@refunds.get("/refunds/<entry_id>")
@customer_required("write")
def new(entry_id: str) -> AnyResponse:
    """What can go back of this top-up, with the bill for all of it."""
    there = _look(entry_id)
    form = RefundForm(formdata=None, form_key=ids.new("form"))
    form.amount.data = top_up_panel.figures(there.left_minor)
    return _page(there, form, there.left_minor)


@refunds.post("/refunds/<entry_id>")
@customer_required("write")
def create(entry_id: str) -> AnyResponse:
    """Refund what the bill showed; another sum than that is shown with its own bill first."""
    form = RefundForm()
    if not _FORM_KEY.match(form.form_key.data or ""):
        form.form_key.data, form.confirmed.data = ids.new("form"), ""
    if not form.validate():
        there = _look(entry_id)
        return _page(there, form, there.left_minor, 422)
    if form.confirmed.data != str(form.minor):
        there = _look(entry_id)
        if form.minor > there.left_minor:
            form.amount.errors = [f"Enter {cents(there.left_minor)} or less."]
            return _page(there, form, there.left_minor, 422)
        return _page(there, form, form.minor)
    return _refund(entry_id, form)


def _refund(entry_id: str, form: RefundForm) -> AnyResponse:
    limits.spend("topup.customer", current_customer_id())
    wish = Wish(entry_id, f"form:{form.form_key.data}", current_user.id, "Asked for by the customer", form.minor)
    try:
        made = refund_top_up.start(
            db.session(), current_app.extensions["providers"], current_customer_id(), wish, currency=default_currency()
        )
    except MoreThanRefundable as refusal:
        form.refuse(refusal, "amount")
        there = _look(entry_id)
        return _page(there, form, there.left_minor, status_of(refusal))
    if made.state == "failed":
        flash("The refund was refused. Your money is back in the wallet.", "neg")
    else:
        flash(f"{cents(made.amount_minor, made.currency)} is on its way back to you", "pos")
    return hx.go(url_for("wallet.show"))


@refunds.get("/balance-refund")
@customer_required("write")
def ask() -> AnyResponse:
    """What asking for the whole balance means, before it is done."""
    return _request_page(RequestForm(formdata=None, form_key=ids.new("form")))


@refunds.post("/balance-refund")
@customer_required("write")
def send() -> AnyResponse:
    """Ask for the balance; staff answer."""
    form = RequestForm()
    if not _FORM_KEY.match(form.form_key.data or ""):
        form.form_key.data = ids.new("form")
    try:
        limits.spend("topup.customer", current_customer_id())
        refund_request.ask(
            db.session(),
            current_app.extensions["providers"],
            current_customer_id(),
            reason=form.typed("reason"),
            key=f"form:{form.form_key.data}",
            actor=current_user.id,
            currency=default_currency(),
        )
    except Refusal as refusal:
        form.refuse(refusal, "reason")
        return refused.answer(_request_page(form).get_data(as_text=True), refusal)
    flash("You have asked for your balance. We answer by mail.", "pos")
    return redirect(url_for("wallet.show"), 303)


@refunds.post("/balance-refund/withdraw")
@customer_required("write")
def withdraw() -> AnyResponse:
    """Take back what was asked for, while nobody has decided."""
    try:
        refund_request.withdraw(db.session(), current_customer_id(), actor=current_user.id)
    except Refusal as refusal:
        flash(str(refusal), "neg")
    else:
        flash("You took your request back. The money stays in your wallet.", "pos")
    return redirect(url_for("wallet.show"), 303)


def _request_page(form: RequestForm) -> Response:
    session, customer_id, currency = db.session(), current_customer_id(), default_currency()
    there = refund_top_up.possible(session, current_app.extensions["providers"], customer_id, currency)
    page = render_template(
        "wallet/balance_refund.html",
        form=form,
        top_ups=there,
        bonuses=[take_bonus_back.would_go(session, one.channel, one.payment_id, one.left_minor) for one in there],
        tax_minor=(tax_minor := refund_top_up.tax_on(session, there)),
        total_minor=sum(one.left_minor for one in there) + tax_minor,
        waiting=refund_request.open_one(session, customer_id),
        balance=ledger.balance(session, wallet_of(customer_id, currency)),
        longest=_LONGEST_REASON,
    )
    return hx.answer(page)


def _look(entry_id: str) -> TopUp:
    providers = current_app.extensions["providers"]
    return refund_top_up.look(db.session(), providers, current_customer_id(), entry_id, currency=default_currency())


def _page(there: TopUp, form: RefundForm, net_minor: int, status: int = 200) -> AnyResponse:
    session, customer_id, currency = db.session(), current_customer_id(), default_currency()
    payment = returned.find(session, there.channel, there.payment_id)
    allowed = auto_top_up.of(session, customer_id)
    balance = ledger.balance(session, wallet_of(customer_id, currency))
    bonus = take_bonus_back.would_go(session, there.channel, there.payment_id, net_minor)
    leaves = minor_to_micros(net_minor, currency) + bonus.micros
    page = render_template(
        "wallet/refund.html",
        form=form,
        top_up=there,
        net_minor=net_minor,
        tax_minor=refund_tax.share_of_tax(session, payment, net_minor) if payment else 0,
        bonus=bonus,
        balance_after=balance.balance - leaves,
        available_after=balance.available - leaves,
        pauses_auto=allowed is not None and allowed.state == "on",
    )
    return hx.answer(page, status)
