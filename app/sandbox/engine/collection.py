"""Collection: an open invoice tried with a card until it is paid, and what each try leaves behind."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.config import DAY
from app.sandbox.engine import bills, payments
from app.sandbox.engine.cards import Card
from app.sandbox.engine.methods import source_of
from app.sandbox.fault import Fault
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit


def collect(
    tx: Tx, invoice: Object, method: Object | None, *, automatic: bool = True, off_session: bool = True
) -> None:
    """Try to pay a finalized invoice once; its status tells how it went. `automatic` tries count for dunning."""
    if invoice["amount_due"] == 0:
        _paid(tx, invoice, None)
        return
    intent = intent_of(tx, invoice)
    if method is not None:
        payments.attempt(tx, intent, method, off_session=off_session, waits=True)
    conclude(tx, invoice, intent, automatic=automatic)


def conclude(tx: Tx, invoice: Object, intent: Object, *, automatic: bool = False) -> None:
    """Write down on the invoice how its payment has gone."""
    if intent["status"] == "succeeded":
        _paid(tx, invoice, intent)
        return
    tried = invoice["attempt_count"] + 1 if automatic else max(1, invoice["attempt_count"])
    following = _next_attempt(tx, invoice, tried) if automatic else invoice["next_payment_attempt"]
    tx.change(invoice, attempted=True, attempt_count=tried, next_payment_attempt=following)
    if intent["status"] == "requires_action":
        emit(tx, "invoice.payment_action_required", invoice)
    if intent["status"] != "requires_action" or invoice["billing_reason"] == "subscription_cycle":
        emit(tx, "invoice.payment_failed", invoice)


def paid_elsewhere(tx: Tx, invoice: Object) -> None:
    """Somebody says that it was paid without us."""
    tx.change(invoice, amount_paid_off_stripe=invoice["amount_due"])
    _paid(tx, invoice, None)


def intent_of(tx: Tx, invoice: Object) -> Object:
    """The PaymentIntent of an invoice with something due."""
    payment = bills.default_payment(tx, invoice)
    assert payment is not None, "an invoice with something due has a payment"
    return tx.get("payment_intent", payment["payment"]["payment_intent"])


def usual_method(tx: Tx, invoice: Object, subscription: Object | None) -> Object | None:
    """The card that pays by itself: the subscription's, else the customer's default; None without one."""
    customer = tx.get("customer", invoice["customer"])
    default = customer["invoice_settings"]["default_payment_method"]
    method = tx.find((subscription or {}).get("default_payment_method") or default)
    usable = method is not None and method["customer"] == customer["id"] and isinstance(source_of(tx, method), Card)
    return method if usable else None


def refusal(tx: Tx, invoice: Object, *, keeps: bool = True) -> Fault:
    """The 402 for whoever asked to pay an invoice that is still open."""
    intent = intent_of(tx, invoice)
    if intent["status"] == "requires_action":
        words = "This payment requires additional user action before it can be completed successfully."
        code = "invoice_payment_intent_requires_action"
        return Fault(402, "card_error", words, keeps=keeps, code=code, payment_intent=intent)
    if intent["last_payment_error"] is None:
        words = "Cannot charge a customer that has no active payment method"
        return Fault(400, "invalid_request_error", words, keeps=keeps, code="resource_missing")
    fault = payments.declined(intent)
    fault.keeps = keeps
    return fault


def _next_attempt(tx: Tx, invoice: Object, tried: int) -> int | None:
    """Counted from the due date, not from the last try; None when there will be none."""
    days = tx.config.dunning_days
    return invoice["created"] + days[tried - 1] * DAY if invoice["auto_advance"] and tried <= len(days) else None


def _paid(tx: Tx, invoice: Object, intent: Object | None) -> None:
    tx.change(
        invoice,
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        attempt_count=invoice["attempt_count"] + 1 if intent else invoice["attempt_count"],
        attempted=True,
        auto_advance=False,
        next_payment_attempt=None,
        status="paid",
        status_transitions={**invoice["status_transitions"], "paid_at": tx.now},
    )
    emit(tx, "invoice.paid", invoice)
    emit(tx, "invoice.payment_succeeded", invoice)
    payment = bills.default_payment(tx, invoice)
    if payment is not None and intent is not None:
        steps = {**payment["status_transitions"], "paid_at": tx.now}
        tx.change(payment, amount_paid=payment["amount_requested"], status="paid", status_transitions=steps)
        emit(tx, "invoice_payment.paid", payment)
    elif payment is not None:
        tx.change(
            payment, status="canceled", status_transitions={**payment["status_transitions"], "canceled_at": tx.now}
        )
