"""The hosted invoice: paid by its reader with a card, which the subscription then keeps."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.engine import bills, collection, fates, methods, payments, standing
from app.sandbox.fault import refused
from app.sandbox.tx import Tx


def pay(tx: Tx, invoice: Object, method: Object) -> Object:
    """Try this card, with its owner present. Returns the PaymentIntent, whose status tells how it went."""
    _must_be_payable(invoice)
    intent = collection.intent_of(tx, invoice)
    payments.attempt(tx, intent, method)
    return _concluded(tx, invoice, intent, method)


def authenticate(tx: Tx, invoice: Object, *, approved: bool) -> Object:
    """The answer of the 3-D Secure page."""
    _must_be_payable(invoice)
    intent = collection.intent_of(tx, invoice)
    if intent["status"] != "requires_action":
        raise refused("Nothing is waiting to be authenticated for this invoice.")
    method = tx.get("payment_method", intent["payment_method"])
    if approved:
        payments.attempt(tx, intent, method, authenticated=True)
    else:
        payments.authentication_failed(tx, intent)
    return _concluded(tx, invoice, intent, method)


def _concluded(tx: Tx, invoice: Object, intent: Object, method: Object) -> Object:
    if intent["status"] == "succeeded":
        methods.attach(tx, method, invoice["customer"], redisplay=None if method["customer"] else "limited")
        _keep_card(tx, invoice, method)
    collection.conclude(tx, invoice, intent)
    fates.follow(tx, invoice)
    return intent


def _keep_card(tx: Tx, invoice: Object, method: Object) -> None:
    subscription = bills.subscription_of(tx, invoice)
    if subscription and subscription["payment_settings"]["save_default_payment_method"] == "on_subscription":
        standing.amend(tx, subscription, default_payment_method=method["id"])


def _must_be_payable(invoice: Object) -> None:
    if invoice["status"] not in ("open", "uncollectible"):
        raise refused(f"This invoice is {invoice['status']}.", code="invoice_not_payable")
