"""Payment methods: the cards the provider keeps for a customer, which one is charged, and its portal (SPEC P12)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from app import ledger
from app.config import Settings
from app.customers import members
from app.errors import NotFound, ProviderDown, Refusal
from app.extensions import db
from app.flows import cards as flow
from app.http import destinations, hx, limits
from app.http.auth import current_customer, current_customer_id, customer_required
from app.http.errors import status_of
from app.http.filters import default_currency
from app.payments import card_pages
from app.payments.models import CardPage
from app.providers.port import Provider
from app.providers.values import Cap
from app.subscriptions import standing
from app.wallet.accounts import wallet_of
from app.web import card_rows, card_status, next_charge, plan_powers
from app.web.waiting import Status
from app.web.wallet_forms import form_key_sent, fresh_form_key

payment_methods = Blueprint("payment_methods", __name__, url_prefix="/payment-methods")


@payment_methods.get("")
@customer_required("read")
def show() -> str:
    """The cards, the wallet, and what each pays."""
    return page()


@payment_methods.post("")
@customer_required("write")
def add() -> AnyResponse:
    """To the provider's page on which a card is entered. The same form again leads to the same page."""
    provider, customer = _keeper(), current_customer()
    limits.spend("card.customer", customer.id)
    back = f"{_base()}{url_for('payment_methods.show')}/pages/{flow.PAGE_IN_URL}"
    try:
        opened = flow.open_page(
            db.session(),
            provider,
            customer,
            form_key=form_key_sent(),
            return_url=back,
            actor=current_user.id,
            currency=default_currency(),
        )
    except ProviderDown as refusal:
        return make_response(page(trouble=refusal), 503)
    if opened.state == "open" and opened.url:
        return redirect(opened.url, 303)
    return redirect(url_for("payment_methods.waiting", page_id=opened.id), 303)


@payment_methods.get("/pages/<page_id>")
@customer_required("read")
def waiting(page_id: str) -> str:
    """Where the provider sends people back to: it waits until the card is there."""
    opened = card_pages.one(db.session(), current_customer_id(), page_id)
    return render_template("payment_methods/waiting.html", reference=opened.id, status=_status(opened))


@payment_methods.get("/pages/<page_id>/status")
@customer_required("read")
def status(page_id: str) -> Response:
    """The waiting part alone; nothing new is an empty answer."""
    opened = card_pages.one(db.session(), current_customer_id(), page_id)
    now = _status(opened)
    if request.args.get("seen") == now.seen:
        return make_response("", 204)
    template = "waiting/_status.html" if now.poll_seconds else "waiting/_news.html"
    return make_response(render_template(template, reference=opened.id, status=now))


@payment_methods.post("/<card_id>/default")
@customer_required("write")
def make_default(card_id: str) -> AnyResponse:
    """Charge this card from now on."""
    return _changed(flow.make_default, card_id, "{card} is charged from now on.")


@payment_methods.post("/<card_id>/remove")
@customer_required("write")
def remove(card_id: str) -> AnyResponse:
    """Have the provider forget this card, unless the plan would be left without one."""
    return _changed(flow.remove, card_id, "{card} is removed.")


@payment_methods.post("/portal")
@customer_required("write")
def portal() -> AnyResponse:
    """To the provider's own page, with the way back to this one, or to another page of ours that the form names."""
    provider, customer = _with_page(), current_customer()
    limits.spend("card.customer", customer.id)
    back = destinations.safe(request.form.get("next"), url_for("payment_methods.show"))
    try:
        address = flow.portal(db.session(), provider, customer, return_url=_base() + back)
    except ProviderDown as refusal:
        return make_response(page(trouble=refusal), 503)
    return redirect(address, 303)


def page(*, trouble: Refusal | None = None) -> str:
    """The whole page; `trouble` is what refused the last press of a button."""
    session, customer_id = db.session(), current_customer_id()
    now, currency = standing.of(session, customer_id), default_currency()
    balance = ledger.balance(session, wallet_of(customer_id, currency))
    chosen = card_rows.keeper()
    with_page = plan_powers.page_of(now.subscription) or chosen
    cards = card_rows.of(session, customer_id, now)
    return render_template(
        "payment_methods/show.html",
        cards=cards,
        standing=now,
        charge=next_charge.of(session, now),
        balance=balance,
        wallet_pays=_wallet_pays(now),
        may_pay=members.allows(current_user.permission, "write"),
        provider_title=chosen.title if chosen else "",
        portal_title=with_page.title if with_page is not None and Cap.PORTAL in with_page.capabilities else "",
        can_save=chosen is not None,
        form_key=fresh_form_key(),
        trouble=trouble,
    )


def _changed(verb: Any, card_id: str, words: str) -> AnyResponse:
    """Do it, and show the page again with what came of it."""
    limits.spend("card.customer", current_customer_id())
    try:
        card = verb(db.session(), _keeper(), current_customer_id(), card_id, actor=current_user.id)
    except NotFound:
        raise
    except Refusal as refusal:
        return make_response(page(trouble=refusal), status_of(refusal))
    flash(words.format(card=card_rows.title_of(card)), "pos")
    return hx.go(url_for("payment_methods.show"))


def _wallet_pays(now: standing.Standing) -> bool:
    live = now.subscription
    return live is not None and now.ends_at is None and (live.pays_next_by or live.paid_by) == "wallet"


def _keeper() -> Provider:
    found = card_rows.keeper()
    if found is None:
        raise NotFound("No payment provider keeps cards here.")
    return found


def _with_page() -> Provider:
    """Whose own page is opened: that of who runs the plan, else of who keeps the cards."""
    live = standing.of(db.session(), current_customer_id()).subscription
    return plan_powers.page_of(live) or _keeper()


def _status(opened: CardPage) -> Status:
    may_pay = members.allows(current_user.permission, "write")
    return card_status.of(opened, may_pay=may_pay, left=request.args.get("left") == "1")


def _base() -> str:
    settings: Settings = current_app.extensions["settings"]
    return settings.base_url.rstrip("/")
