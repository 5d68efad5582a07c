"""The hosted portal: a customer's subscriptions, saved cards, invoices and payments."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.sandbox.blanks import Object
from app.sandbox.config import HOUR
from app.sandbox.core import Sandbox
from app.sandbox.engine import customer_cards, methods, portal, setups, standing
from app.sandbox.engine.cards import Card, source
from app.sandbox.engine.due import run_due
from app.sandbox.pages.guard import may_leave_for
from app.sandbox.pages.words import money
from app.sandbox.tx import Tx

pages = Blueprint("portal", __name__)

Answer = str | Response | tuple[str, int]

_LASTS = HOUR  # of the sandbox's clock; a session is made for one click
_ONLY_TEST_NUMBERS = "This sandbox knows test card numbers only, such as 4242 4242 4242 4242."


@pages.get("/p/<session_id>")
def show(session_id: str) -> Answer:
    """Subscriptions, cards, invoices and payments."""
    run_due(_sandbox())
    with _sandbox().reading(request.url_root) as tx:
        return _page(tx, _session(tx, session_id))


@pages.post("/p/<session_id>/cards")
def add_card(session_id: str) -> Answer:
    """Save another card, as the customer's default if it is the first or the portal was opened to replace it."""
    with _sandbox().writing(root=request.url_root) as tx:
        session = _session(tx, session_id)
        found = source(request.form.get("number", ""))
        if not isinstance(found, Card):
            return _page(tx, session, trouble=_ONLY_TEST_NUMBERS), 422
        customer = tx.get("customer", session["customer"])
        setup = setups.open_setup(tx, customer=customer["id"], usage="off_session")
        method = methods.make(tx, found, email=customer["email"], name=customer["name"])
        setups.attempt(tx, setup, method, authenticated=True)
        if setup["status"] != "succeeded":
            return _page(tx, session, trouble=setup["last_setup_error"]["message"]), 402
        if session["flow"] or not customer["invoice_settings"]["default_payment_method"]:
            customer_cards.use_card(tx, customer, method["id"])
        return _onward(session)


@pages.post("/p/<session_id>/cards/<method_id>/default")
def make_default(session_id: str, method_id: str) -> Answer:
    """Charge this card from now on."""
    with _sandbox().writing(root=request.url_root) as tx:
        session = _session(tx, session_id)
        card = _own_card(tx, session, method_id)
        customer_cards.use_card(tx, tx.get("customer", session["customer"]), card["id"])
        return redirect(url_for("portal.show", session_id=session_id), 303)


@pages.post("/p/<session_id>/subscriptions/<subscription_id>/<verb>")
def change_subscription(session_id: str, subscription_id: str, verb: str) -> Answer:
    """`cancel` at the end of the period, or `resume` what was to be cancelled."""
    run_due(_sandbox())
    with _sandbox().writing(root=request.url_root) as tx:
        session = _session(tx, session_id)
        own = {each["id"]: each for each in customer_cards.live_subscriptions(tx, session["customer"])}
        subscription = own.get(subscription_id)
        if subscription is None or subscription["schedule"] or verb not in ("cancel", "resume"):
            abort(404)
        portal.announce_end(tx, subscription, on=verb == "cancel")
        return _onward(session) if session["flow"] else redirect(url_for("portal.show", session_id=session_id), 303)


@pages.post("/p/<session_id>/cards/<method_id>/remove")
def remove_card(session_id: str, method_id: str) -> Answer:
    """Forget this card."""
    with _sandbox().writing(root=request.url_root) as tx:
        session = _session(tx, session_id)
        customer_cards.forget_card(tx, _own_card(tx, session, method_id))
        return redirect(url_for("portal.show", session_id=session_id), 303)


def _sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox


def _session(tx: Tx, session_id: str) -> Object:
    session = tx.find(session_id)
    if session is None or session["object"] != "billing_portal.session":
        abort(404)
    if tx.now >= session["created"] + _LASTS:
        abort(410)
    may_leave_for(session["return_url"], _redirect_of(session))
    return session


def _own_card(tx: Tx, session: Object, method_id: str) -> Object:
    card = tx.find(method_id)
    if card is None or card["object"] != "payment_method" or card["customer"] != session["customer"]:
        abort(404)
    return card


def _redirect_of(session: Object) -> str | None:
    after = (session["flow"] or {}).get("after_completion") or {}
    return after["redirect"]["return_url"] if after.get("type") == "redirect" else None


def _onward(session: Object) -> Response:
    return redirect(_redirect_of(session) or url_for("portal.show", session_id=session["id"]), 303)


def _page(tx: Tx, session: Object, trouble: str | None = None) -> str:
    customer = tx.get("customer", session["customer"])
    cards = tx.every("payment_method", customer=customer["id"])
    return render_template(
        "portal.html",
        session=session,
        customer=customer,
        cards=[(card["id"], methods.describe(card)) for card in cards],
        default=customer["invoice_settings"]["default_payment_method"],
        subscriptions=[_described(tx, each) for each in customer_cards.live_subscriptions(tx, customer["id"])],
        invoices=[each for each in tx.every("invoice", customer=customer["id"], limit=50) if each["number"]],
        payments=tx.every("payment_intent", customer=customer["id"], limit=50),
        features=tx.get("billing_portal.configuration", session["configuration"])["features"],
        trouble=trouble,
        typed=request.form.get("number", ""),
    )


def _described(tx: Tx, subscription: Object) -> Object:
    items = standing.items_of(subscription)
    names = [tx.get("product", item["price"]["product"])["name"] for item in items]
    cents = sum(item["price"]["unit_amount"] * item["quantity"] for item in items)
    return {
        **subscription,
        "title": " and ".join(names),
        "price": money(cents, subscription["currency"]),
        "interval": items[0]["price"]["recurring"]["interval"],
        "until": standing.period_of(subscription)[1],
    }
