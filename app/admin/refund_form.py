"""Staff: paying back a top-up, a pack or an invoice, in whole or in part, with a reason (SPEC W4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from sqlalchemy.orm import Session
from wtforms import StringField

from app import ids, ledger
from app.admin.adjusting import FORM_KEY
from app.admin.roles import actor, staff_moves_money
from app.customers import search
from app.errors import Invalid, NotFound, Refusal
from app.extensions import db
from app.flows import refund_sale, refund_top_up, take_bonus_back
from app.flows.refund import Providers
from app.http import hx
from app.http.errors import status_of
from app.http.filters import cents
from app.http.forms import Form, MoneyField
from app.http.proof import recently_proved
from app.invoices import Invoice
from app.money import figures
from app.payments import orders, returned
from app.payments.models import Order, Refund
from app.payments.refunds import NotRefundable
from app.payments.titles import title_of
from app.wallet import words

pages = Blueprint("admin_refund_form", __name__, url_prefix="/admin/refunds")

MOST = 100_000_000  # minor units: a million dollars; what is left of the thing says the rest
Start = Callable[[str, str, int], Refund]  # form key, reason, minor units before tax


class RefundForm(Form):
    """What is typed. `confirmed` is the sum, in minor units, that the person has seen on the button."""

    amount = MoneyField(minimum=1, maximum=MOST, id="amount")
    reason = StringField(id="reason")
    confirmed = StringField()
    form_key = StringField()


@dataclass(frozen=True)
class Thing:
    """What can be paid back: of whom, how much is left of it before tax, where it goes, and how it is begun."""

    customer_id: str
    title: str
    note: str
    left_minor: int
    currency: str
    start: Start


@pages.get("/new")
@staff_moves_money
def new() -> Response | str:
    """The form for an order (`?order=`) or an invoice (`?customer=…&invoice=…`), filled in with all that is left."""
    thing = _thing(db.session(), current_app.extensions["providers"])
    form = RefundForm(formdata=None, form_key=ids.new("frm"), confirmed=str(thing.left_minor))
    form.amount.data = figures(thing.left_minor, thing.currency)
    return _page(thing, form)


@pages.post("/new")
@staff_moves_money
@recently_proved
def create() -> Response | str:
    """Pay it back once per form; another sum than the button said is shown first."""
    thing, form = _thing(db.session(), current_app.extensions["providers"]), RefundForm()
    if not FORM_KEY.match(form.form_key.data or ""):
        form.form_key.data, form.confirmed.data = ids.new("frm"), ""
    if not form.validate() or form.amount.minor is None:
        return _page(thing, form, 422)
    seen, form.confirmed.data = form.confirmed.data, str(form.amount.minor)
    try:
        reason = words.reason(form.typed("reason"))
        if seen != str(form.amount.minor):
            return _page(thing, form, asks=True)
        made = thing.start(f"staff:{form.form_key.data}", reason, form.amount.minor)
    except Refusal as refusal:
        form.refuse(refusal, "amount")
        return _page(thing, form, status_of(refusal))
    if made.state == "failed":
        flash("The payment provider refused it. Nothing moved.", "neg")
    else:
        flash(f"{cents(made.amount_minor, made.currency)} is on its way back", "pos")
    return hx.go(url_for("admin_refunds.show", refund_id=made.id))


def _page(thing: Thing, form: RefundForm, status: int = 200, *, asks: bool = False) -> Response:
    """`asks`: nothing was done yet, because the button said another sum."""
    names = search.names(db.session(), [thing.customer_id])
    page = render_template(
        "admin/refunds/new.html",
        thing=thing,
        form=form,
        asks=asks,
        name=names.get(thing.customer_id, thing.customer_id),
        action=f"{url_for('.create')}?{urlencode(request.args)}",
    )
    return hx.answer(page, status)


def _thing(session: Session, providers: Providers) -> Thing:
    if "invoice" in request.args:
        return _invoice(session, providers, request.args.get("customer", ""), request.args["invoice"])
    if "order" not in request.args:
        raise Invalid("Say which order or invoice is to be paid back.", field="order")
    order = orders.find(session, request.args["order"])
    if order is None:
        raise NotFound("There is no such order.")
    return _pack(session, providers, order) if order.kind == "pack" else _top_up(session, providers, order)


def _top_up(session: Session, providers: Providers, order: Order) -> Thing:
    entry = ledger.find_entry(session, order.customer_id, f"topup:{order.channel}:{order.payment_id}")
    if entry is None:
        raise NotRefundable("Nothing of this order went into the wallet.", type=order.kind)
    there = refund_top_up.look(session, providers, order.customer_id, entry.id, by_staff=True, currency=order.currency)

    def start(key: str, reason: str, minor: int) -> Refund:
        wish = refund_top_up.Wish(there.entry_id, key, actor(), reason, minor, by_staff=True)
        return refund_top_up.start(session, providers, order.customer_id, wish, currency=order.currency)

    note = "Unspent money the customer paid. It leaves the wallet and goes back to what it was paid with."
    bonus = take_bonus_back.would_go(session, there.channel, there.payment_id, there.left_minor)
    if bonus.micros or bonus.credits:
        note += " The bonus that its coupon gave goes with it, as much as the sum stands for and as is not spent."
    return Thing(order.customer_id, title_of(order), note, there.left_minor, order.currency, start)


def _pack(session: Session, providers: Providers, order: Order) -> Thing:
    payment = returned.find(session, order.channel, order.payment_id or "")
    if payment is None:
        raise NotRefundable("This pack was not paid.", type=order.kind)

    def start(key: str, reason: str, minor: int) -> Refund:
        return refund_sale.of_pack(session, providers, order.id, refund_sale.Wish(key, actor(), reason, minor))

    note = "Credits that are not spent are taken back with it, as many as the sum stands for."
    left = refund_sale.returned_left(session, payment)
    return Thing(order.customer_id, title_of(order), note, left, payment.currency, start)


def _invoice(session: Session, providers: Providers, customer_id: str, invoice_id: str) -> Thing:
    invoice = session.get(Invoice, (customer_id, invoice_id))
    if invoice is None or invoice.status == "draft":
        raise NotFound("There is no such invoice.")

    def start(key: str, reason: str, minor: int) -> Refund:
        wish = refund_sale.Wish(key, actor(), reason, minor)
        return refund_sale.of_invoice(session, providers, customer_id, invoice_id, wish)

    note = "The tax on it goes back too. What the wallet paid goes to the wallet, what a card paid to the card."
    left = refund_sale.left_of_invoice(session, invoice)
    return Thing(customer_id, f"Invoice {invoice.number or invoice.id}", note, left, invoice.currency, start)
