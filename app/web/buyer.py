"""The buyer: who later invoices are made out to (SPEC I3). What is issued keeps what it says."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, render_template
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app.customers import members
from app.db import transaction
from app.errors import Refusal
from app.extensions import db
from app.http import hx, refused
from app.http.auth import current_customer, current_customer_id, customer_required
from app.invoices import buyers, seller
from app.invoices.countries import names
from app.web.invoice_forms import BuyerForm, buyer_form

buyer = Blueprint("buyer", __name__, url_prefix="/invoices/buyer")
TYPES = {"business": "A business", "person": "A person"}


@buyer.get("")
@customer_required("read")
def show() -> str:
    """The details as they are; only those who may change them get a button."""
    customer = current_customer()
    known = buyers.of(db.session(), customer.id)
    return _page(buyer_form(known, name=customer.name, country=seller.current().country))


@buyer.post("")
@customer_required("write")
def update() -> AnyResponse | Response:
    """Keep them for later invoices."""
    form = BuyerForm()
    try:
        with transaction(db.session()):
            buyers.set_buyer(db.session(), current_customer_id(), form.details, actor=current_user.id)
    except Refusal as refusal:
        form.validate()
        form.refuse(refusal, "name")
        return refused.answer(make_response(_page(form)).get_data(as_text=True), refusal)
    flash("Your details are saved. They stand on invoices from now on.", "pos")
    return hx.go("/invoices")


def _page(form: BuyerForm) -> str:
    return render_template(
        "invoices/buyer.html",
        form=form,
        types=TYPES,
        countries=names(),
        may_change=members.allows(current_user.permission, "write"),
    )
