"""Automatic top-up on the wallet page: switching it on by rules, changing them, switching it off (SPEC W6)."""

from __future__ import annotations

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.db import transaction
from app.errors import Conflict, Refusal
from app.extensions import db
from app.flows import cards
from app.http import hx, limits, refused
from app.http.auth import current_customer_id, customer_required
from app.http.filters import default_currency
from app.wallet import auto_top_up as rules
from app.web import auto_panel, wallet
from app.web.auto_panel import AutoTopUpForm

auto_top_up = Blueprint("auto_top_up", __name__, url_prefix="/wallet/auto-top-up")

NO_CARD = "Save a card first, on the page of payment methods: it is what would be charged."


@auto_top_up.get("")
@customer_required("read")
def show() -> str:
    """The panel alone for htmx; else the wallet page, which holds it. `?edit=1` opens the form."""
    return _panel_or_page(edit=request.args.get("edit") == "1")


@auto_top_up.post("")
@customer_required("write")
def switch_on() -> ResponseReturnValue:
    """Switch it on, or change its rules."""
    form = AutoTopUpForm()
    if not form.validate():
        return refused.answer(_panel_or_page(form=form))
    try:
        limits.spend("card.customer", current_customer_id())
        _need_a_card()
        with transaction(db.session()):
            rules.switch_on(
                db.session(), current_customer_id(), **form.chosen, currency=default_currency(), actor=current_user.id
            )
    except Refusal as refusal:
        form.refuse(refusal, "threshold")
        return refused.answer(_panel_or_page(form=form), refusal)
    return _done("Automatic top-up is on.")


@auto_top_up.post("/off")
@customer_required("write")
def switch_off() -> ResponseReturnValue:
    """Switch it off; what is under way is not called back."""
    with transaction(db.session()):
        rules.switch_off(db.session(), current_customer_id(), actor=current_user.id)
    return _done("Automatic top-up is off.")


def _need_a_card() -> None:
    """Raises Conflict without a saved card, ProviderDown when nobody can say."""
    provider = auto_panel.provider()
    if provider is None or not cards.listed(db.session(), provider, current_customer_id()):
        raise Conflict(NO_CARD, field="threshold")


def _panel_or_page(*, form: AutoTopUpForm | None = None, edit: bool = False) -> str:
    shown = auto_panel.panel(form=form, edit=edit)
    return render_template("wallet/_auto.html", **shown) if hx.is_partial() else wallet.page(auto=shown)


def _done(words: str) -> Response:
    if hx.is_partial():
        return hx.answer(render_template("wallet/_auto.html", **auto_panel.panel()))
    flash(words, "pos")
    return hx.go(url_for("wallet.show"))
