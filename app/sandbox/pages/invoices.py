"""The hosted invoice: what it bills, and a way to pay it while it is open."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from app.sandbox.blanks import Object
from app.sandbox.core import Sandbox
from app.sandbox.engine import hosted, methods
from app.sandbox.engine.calendar import day
from app.sandbox.engine.cards import CARDS, Card, source
from app.sandbox.engine.collection import intent_of
from app.sandbox.engine.due import run_due
from app.sandbox.pages.paper import pdf
from app.sandbox.pages.words import money
from app.sandbox.tx import Tx

pages = Blueprint("invoices", __name__)

Answer = str | Redirect | tuple[str, int]

_ONLY_TEST_NUMBERS = "This sandbox knows test card numbers only, such as 4242 4242 4242 4242."
_PAYABLE = ("open", "uncollectible")


@pages.get("/i/<invoice_id>")
def show(invoice_id: str) -> Answer:
    """What is billed, whether it is paid, and the cards to pay with."""
    run_due(_sandbox())
    with _sandbox().reading(request.url_root) as tx:
        return _page(tx, _invoice(tx, invoice_id))


@pages.post("/i/<invoice_id>")
def pay(invoice_id: str) -> Answer:
    """Try to pay with the card that was chosen or typed."""
    run_due(_sandbox())
    with _sandbox().writing(root=request.url_root) as tx:
        invoice = _invoice(tx, invoice_id)
        if invoice["status"] not in _PAYABLE:
            return _back(invoice)
        method = _method(tx, invoice)
        if method is None:
            return _page(tx, invoice, trouble=_ONLY_TEST_NUMBERS), 422
        return _outcome(tx, invoice, hosted.pay(tx, invoice, method))


@pages.get("/i/<invoice_id>/authenticate")
def ask(invoice_id: str) -> Answer:
    """The bank's page, for 3-D Secure."""
    with _sandbox().reading(request.url_root) as tx:
        invoice = _invoice(tx, invoice_id)
        intent = _waiting(tx, invoice)
        if intent is None:
            return _back(invoice)
        return render_template(
            "authenticate.html",
            what=money(intent["amount"], intent["currency"]),
            where=url_for("invoices.authenticate", invoice_id=invoice_id),
            card=methods.describe(tx.get("payment_method", intent["payment_method"])),
        )


@pages.post("/i/<invoice_id>/authenticate")
def authenticate(invoice_id: str) -> Answer:
    """The answer given on the bank's page."""
    run_due(_sandbox())
    with _sandbox().writing(root=request.url_root) as tx:
        invoice = _invoice(tx, invoice_id)
        if _waiting(tx, invoice) is None:
            return _back(invoice)
        approved = request.form.get("answer") == "approve"
        return _outcome(tx, invoice, hosted.authenticate(tx, invoice, approved=approved))


@pages.get("/i/<invoice_id>/pdf")
def paper(invoice_id: str) -> Response:
    """The same as a file, for those who keep files."""
    with _sandbox().reading(request.url_root) as tx:
        invoice = _invoice(tx, invoice_id)
    name = f"attachment; filename={invoice['number']}.pdf"
    return Response(pdf(_words(invoice)), mimetype="application/pdf", headers={"Content-Disposition": name})


def _sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox


def _invoice(tx: Tx, invoice_id: str) -> Object:
    found = tx.find(invoice_id)
    if found is None or found["object"] != "invoice" or found["status"] == "draft":
        abort(404)
    return found


def _waiting(tx: Tx, invoice: Object) -> Object | None:
    if invoice["status"] not in _PAYABLE:
        return None
    intent = intent_of(tx, invoice)
    return intent if intent["status"] == "requires_action" else None


def _saved(tx: Tx, invoice: Object) -> list[Object]:
    return tx.every("payment_method", customer=invoice["customer"], type="card")


def _method(tx: Tx, invoice: Object) -> Object | None:
    typed, chosen = request.form.get("number", "").strip(), request.form.get("method", "")
    if not typed and chosen in {card["id"] for card in _saved(tx, invoice)}:
        return tx.get("payment_method", chosen)
    found = source(typed or chosen)
    if not isinstance(found, Card):
        return None
    return methods.make(tx, found, email=invoice["customer_email"], name=invoice["customer_name"])


def _outcome(tx: Tx, invoice: Object, intent: Object) -> Answer:
    if intent["status"] == "requires_action":
        return redirect(url_for("invoices.ask", invoice_id=invoice["id"]), 303)
    if intent["status"] == "requires_payment_method":
        return _page(tx, invoice, refusal=intent["last_payment_error"]["message"]), 402
    return _back(invoice)


def _back(invoice: Object) -> Redirect:
    return redirect(url_for("invoices.show", invoice_id=invoice["id"]), 303)


def _page(tx: Tx, invoice: Object, **more: Any) -> str:
    payable = invoice["status"] in _PAYABLE
    return render_template(
        "invoice.html",
        invoice=invoice,
        lines=invoice["lines"]["data"],
        payable=payable,
        saved=[(card["id"], methods.describe(card)) for card in _saved(tx, invoice)] if payable else [],
        cards=[card for card in CARDS if card.listed],
        typed=request.form,
        **{"trouble": None, "refusal": None, **more},
    )


def _words(invoice: Object) -> list[str]:
    def amount(value: int) -> str:
        return money(value, invoice["currency"]).replace("−", "-")

    taken = [each["amount"] for each in invoice["total_discount_amounts"]]
    return [
        f"Invoice {invoice['number']}",
        "Test mode: written by a sandbox. No money moved, and this is no document for any tax office.",
        "",
        f"For {invoice['customer_name'] or invoice['customer_email'] or invoice['customer']}",
        f"Written {day(invoice['created'])}, {invoice['status']}",
        "",
        *(f"{line['description']}: {amount(line['amount'])}" for line in invoice["lines"]["data"]),
        *(f"Discount: {amount(-each)}" for each in taken),
        *(f"Tax: {amount(tax['amount'])}" for tax in invoice["total_taxes"]),
        f"Total: {amount(invoice['total'])}",
        f"Paid: {amount(invoice['amount_paid'])}",
    ]
