"""Topping up: the form that leads to the provider's page, and the page that waits for the money (SPEC W2, R3)."""

from __future__ import annotations

import re

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.config import Settings
from app.customers import members
from app.errors import NotFound, ProviderDown, Refusal
from app.extensions import db
from app.flows import top_up as flow
from app.http import hx, limits, refused
from app.http.auth import current_customer, current_customer_id, customer_required
from app.http.filters import cents, default_currency
from app.payments import reads as payments
from app.payments.models import Order
from app.web import channel_choice, top_up_panel, top_up_status, wallet
from app.web.waiting import Status
from app.web.wallet_forms import TopUpForm, fresh_form_key

_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}\Z", re.ASCII)

top_up = Blueprint("top_up", __name__, url_prefix="/wallet")


@top_up.post("/topups")
@customer_required("write")
def create() -> AnyResponse:
    """Open the order of this form and go to its checkout. The same form again leads to the same checkout."""
    form = TopUpForm()
    if not _FORM_KEY.match(form.form_key.data or ""):
        form.form_key.data = fresh_form_key()
    if not form.validate() or top_up_panel.closed_because():
        return make_response(wallet.page(form=form), 422)
    try:
        limits.spend("topup.customer", current_customer_id())
        order = _started(form)
    except ProviderDown:
        return make_response(wallet.page(form=form, trouble=top_up_panel.NO_ANSWER), 503)
    except Refusal as refusal:
        form.refuse(refusal, "custom")
        return refused.answer(wallet.page(form=form), refusal)
    return _onward(order)


@top_up.get("/quote")
@customer_required("read")
def quote() -> str:
    """What the amount typed so far comes to."""
    form = TopUpForm(formdata=request.args)
    return render_template("wallet/_quote.html", quote=top_up_panel.quote_of(form), **top_up_panel.channels())


@top_up.get("/topups/<order_id>")
@customer_required("read")
def show(order_id: str) -> str:
    """Where the checkout sends people back to: it waits, and says how it ended."""
    order = _mine(order_id)
    return render_template("wallet/topup.html", order=order, reference=order.id, status=_status(order))


@top_up.get("/topups/<order_id>/status")
@customer_required("read")
def status(order_id: str) -> Response:
    """The waiting part alone. Nothing new is an empty answer, so the page stands still while it waits."""
    order = _mine(order_id)
    now = _status(order)
    if request.args.get("seen") == now.seen:
        return make_response("", 204)
    template = "waiting/_news.html" if order.is_final else "waiting/_status.html"
    body = render_template(template, reference=order.id, status=now)
    return hx.answer(body, trigger="wallet-changed" if order.state == "paid" else None)


def _started(form: TopUpForm) -> Order:
    settings: Settings = current_app.extensions["settings"]
    back = f"{settings.base_url.rstrip('/')}/wallet/topups/{flow.ORDER_IN_URL}"
    offered = channel_choice.for_top_ups(strict=True)
    assert offered.chosen is not None, "the panel is closed without one"
    return flow.start(
        db.session(),
        offered.chosen,
        current_customer(),
        form.minor,
        form_key=form.order_key + (f"@{offered.chosen.name}" if offered.choices else ""),
        return_url=back,
        cancel_url=f"{back}?left=1",
        actor=current_user.id,
        currency=default_currency(),
        coupon=form.typed("coupon").strip() or None,
    )


def _onward(order: Order) -> AnyResponse:
    """To the checkout while it can be paid; else to the page that says what became of the order."""
    if order.state == "open" and order.checkout_url:
        return redirect(order.checkout_url, 303)
    if order.state == "paid":
        flash(f"This form was sent before, and {cents(order.amount_minor, order.currency)} is already paid.", "pos")
    return redirect(url_for("top_up.show", order_id=order.id), 303)


def _mine(order_id: str) -> Order:
    found = payments.order(db.session(), current_customer_id(), order_id)
    if found.kind != "topup":
        raise NotFound("There is no such top-up.")
    return found


def _status(order: Order) -> Status:
    may_pay = members.allows(current_user.permission, "write")
    return top_up_status.read(db.session(), order, may_pay=may_pay, left=request.args.get("left") == "1")
