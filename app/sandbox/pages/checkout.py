"""The hosted checkout page, and the page where a bank asks who is there."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.sandbox.blanks import Object
from app.sandbox.core import Sandbox
from app.sandbox.engine import checkout, checkout_totals, discounts, methods
from app.sandbox.engine.cards import BANK_ACCOUNTS, CARDS, BankAccount, source
from app.sandbox.engine.checkout import Payer
from app.sandbox.engine.due import run_due
from app.sandbox.fault import Fault
from app.sandbox.pages.guard import may_leave_for
from app.sandbox.pages.words import money
from app.sandbox.tx import Tx

pages = Blueprint("checkout", __name__)

Answer = str | Response | tuple[str, int]

_ONLY_TEST_NUMBERS = (
    "This sandbox knows test numbers only, such as 4242 4242 4242 4242. Never type a real card number here."
)
_CHOOSE = "Choose how to pay, or type a test card number."
_NO_EMAIL = "Enter an email address, such as ada@example.com."


@pages.get("/c/pay/<session_id>")
def show(session_id: str) -> Answer:
    """What is bought, and the ways to pay."""
    run_due(_sandbox())
    with _sandbox().reading(request.url_root) as tx:
        return _page(tx, _session(tx, session_id))


@pages.post("/c/pay/<session_id>")
def pay(session_id: str) -> Answer:
    """Try to pay with what was chosen. Paying what is paid already just goes on to where paying leads."""
    run_due(_sandbox())
    with _sandbox().writing(root=request.url_root) as tx:
        session = _session(tx, session_id)
        if session["status"] != "open":
            return _after(session)
        if refusal := checkout_totals.drop_spent_offers(tx, session):
            return _page(tx, session, trouble={"code": f"{refusal} The price has changed."}), 422
        method, trouble = _method(tx, session)
        if trouble or method is None:
            return _page(tx, session, trouble=trouble), 422
        payer = Payer(request.form.get("email") or None, request.form.get("name") or None, "save" in request.form)
        intent = checkout.submit(tx, session, method, payer)
        return _outcome(tx, session, intent)


@pages.post("/c/pay/<session_id>/code")
def enter_code(session_id: str) -> Answer:
    """Take a promotion code off the price; an empty one takes the code back."""
    with _sandbox().writing(root=request.url_root) as tx:
        session = _session(tx, session_id)
        if session["status"] != "open" or not session["allow_promotion_codes"]:
            return _after(session)
        typed = request.form.get("code", "").strip()
        try:
            offers = [discounts.by_text(tx, typed, session["customer"])] if typed else []
        except Fault as fault:
            return _page(tx, session, trouble={"code": str(fault)}), 422
        checkout_totals.discounted(tx, session, offers)
        return _after(session)


@pages.get("/c/pay/<session_id>/authenticate")
def ask(session_id: str) -> Answer:
    """The bank's page, for 3-D Secure."""
    with _sandbox().reading(request.url_root) as tx:
        session = _session(tx, session_id)
        intent = _waiting(tx, session)
        if intent is None:
            return _after(session)
        method = tx.get("payment_method", intent["payment_method"])
        return render_template(
            "authenticate.html",
            what=money(session["amount_total"], session["currency"]) if session["amount_total"] else None,
            where=url_for("checkout.authenticate", session_id=session_id),
            card=methods.describe(method),
        )


@pages.post("/c/pay/<session_id>/authenticate")
def authenticate(session_id: str) -> Answer:
    """The answer given on the bank's page."""
    run_due(_sandbox())
    with _sandbox().writing(root=request.url_root) as tx:
        session = _session(tx, session_id)
        if _waiting(tx, session) is None:
            return _after(session)
        return _outcome(
            tx, session, checkout.authenticate(tx, session, approved=request.form.get("answer") == "approve")
        )


def _sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox


def _session(tx: Tx, session_id: str) -> Object:
    session = tx.find(session_id)
    if session is None or session["object"] != "checkout.session":
        abort(404)
    may_leave_for(session["success_url"], session["cancel_url"])
    return session


def _waiting(tx: Tx, session: Object) -> Object | None:
    """The intent that waits for the bank's question to be answered, if one does."""
    intent = checkout.intent_of(tx, session)
    waits = session["status"] == "open" and intent is not None and intent["status"] == "requires_action"
    return intent if waits else None


def _method(tx: Tx, session: Object) -> tuple[Object | None, dict[str, str]]:
    """What was chosen or typed, as a payment method; or what is wrong, by field."""
    if not session["customer"] and "@" not in (session["customer_email"] or request.form.get("email", "")):
        return None, {"email": _NO_EMAIL}
    typed, chosen = request.form.get("number", "").strip(), request.form.get("method", "")
    if not typed and chosen in {saved["id"] for saved in _saved(tx, session)}:
        return tx.get("payment_method", chosen), {}
    if not typed and not chosen:
        return None, {"number": _CHOOSE}
    found = source(typed or chosen)
    if found is None or (isinstance(found, BankAccount) and session["mode"] != "payment"):
        return None, {"number": _ONLY_TEST_NUMBERS}
    owner = tx.find(session["customer"]) or {}
    email = owner.get("email") or session["customer_email"] or request.form.get("email")
    return methods.make(tx, found, email=email, name=owner.get("name") or request.form.get("name") or None), {}


def _saved(tx: Tx, session: Object) -> list[Object]:
    if not session["customer"] or session["mode"] == "setup":
        return []
    wanted = (session["saved_payment_method_options"] or {}).get("allow_redisplay_filters", [])
    cards = tx.every("payment_method", customer=session["customer"], type="card")
    return [card for card in cards if card["allow_redisplay"] in wanted]


def _outcome(tx: Tx, session: Object, intent: Object | None) -> Answer:
    if intent is None:
        return _after(session)
    if intent["status"] == "requires_action":
        return redirect(url_for("checkout.ask", session_id=session["id"]), 303)
    if intent["status"] == "requires_payment_method":
        error = intent["last_setup_error" if intent["object"] == "setup_intent" else "last_payment_error"]
        return _page(tx, session, refusal=error["message"]), 402
    return _after(session)


def _after(session: Object) -> Answer:
    if session["status"] == "complete":
        return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]), 303)
    return redirect(url_for("checkout.show", session_id=session["id"]), 303)


def _page(tx: Tx, session: Object, **more: Any) -> str:
    if session["status"] != "open":
        return render_template("checkout_over.html", session=session)
    saves = (session["saved_payment_method_options"] or {}).get("payment_method_save") == "enabled"
    return render_template(
        "checkout.html",
        session=session,
        lines=tx.hidden(session["id"])["lines"],
        customer=tx.find(session["customer"]),
        saved=[(card["id"], methods.describe(card)) for card in _saved(tx, session)],
        cards=[card for card in CARDS if card.listed],
        accounts=BANK_ACCOUNTS if session["mode"] == "payment" else (),
        may_save=saves and session["mode"] == "payment",
        typed=request.form,
        **{"trouble": {}, "refusal": None, **more},
    )
