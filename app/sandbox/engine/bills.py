"""Invoices of subscriptions: written as drafts, finalized with a number, voided or given up. Amounts in minor units."""

from __future__ import annotations

from typing import Any

from app.sandbox.blanks import Object, blank
from app.sandbox.engine import balances, discounts
from app.sandbox.engine.amounts import automatic_tax, rate_for, tax_on, taxes
from app.sandbox.engine.invoice_lines import as_list
from app.sandbox.engine.payments import open_intent
from app.sandbox.ids import new_id
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

_ABOUT = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}


def compose(
    tx: Tx, subscription: Object, lines: list[Object], *, reason: str, held: list[Object], **fields: Any
) -> Object:
    """The body of an invoice with all its sums, kept nowhere yet. `held` are the discounts that count for it."""
    identifier = fields.pop("id", None) or new_id("invoice")
    customer = tx.get("customer", subscription["customer"])
    taxed = bool(subscription["automatic_tax"]["enabled"])
    for line in lines:
        line["invoice"] = identifier
    sums = _sums(tx, lines, held, taxed)
    due, ending = balances.outcome(sums["total"], customer["balance"])
    body = blank(
        "invoice",
        id=identifier,
        created=tx.now,
        amount_due=due,
        amount_remaining=due,
        automatic_tax=automatic_tax(taxed),
        billing_reason=reason,
        currency=subscription["currency"],
        discounts=[each["id"] for each in held],
        ending_balance=ending,
        lines=as_list(lines, identifier),
        parent=_parent(subscription, fields.pop("proration_date", None)),
        starting_balance=customer["balance"],
        **sums,
        **_person(customer),
    )
    return {**body, "period_start": tx.now, "period_end": tx.now, **fields}


def draft(tx: Tx, body: Object) -> Object:
    """Keep a composed invoice. Its lines may still change until it is finalized."""
    fields = {name: value for name, value in body.items() if name != "object"}
    invoice = tx.new("invoice", **{**fields, "ending_balance": None})
    emit(tx, "invoice.created", invoice)
    return invoice


def finalize(tx: Tx, invoice: Object, intent: Object | None = None) -> None:
    """Give it its number and settle it with the balance; what is due then waits for a payment.

    A payment given here has paid the whole total already, at a checkout, so the balance stays out of it.
    """
    customer = tx.get("customer", invoice["customer"])
    due, ending = balances.outcome(invoice["total"], customer["balance"])
    if intent is not None:
        due, ending = invoice["total"], customer["balance"]
    moved = ending - customer["balance"]
    tx.change(
        invoice,
        amount_due=due,
        amount_remaining=due,
        effective_at=tx.now,
        ending_balance=ending,
        hosted_invoice_url=f"{tx.root}/i/{invoice['id']}",
        invoice_pdf=f"{tx.root}/i/{invoice['id']}/pdf",
        number=next_number(tx, customer),
        starting_balance=customer["balance"],
        status="open",
        status_transitions={**invoice["status_transitions"], "finalized_at": tx.now},
        webhooks_delivered_at=tx.now,
    )
    kind = "invoice_too_small" if not due and ending > 0 else "applied_to_invoice"
    balances.move(tx, customer, moved, kind, invoice=invoice["id"])
    tx.hide(invoice["id"], moved=moved)
    if due:
        _await_payment(tx, invoice, intent)
    emit(tx, "invoice.finalized", invoice)


def void(tx: Tx, invoice: Object) -> None:
    """Nothing is owed for it any more, and what it took from the balance comes back."""
    _close(tx, invoice, "void", "voided_at")
    moved = tx.hidden(invoice["id"]).get("moved", 0)
    customer = tx.get("customer", invoice["customer"])
    balances.move(tx, customer, -moved, "unapplied_from_invoice", invoice=invoice["id"])
    if payment := default_payment(tx, invoice):
        steps = {**payment["status_transitions"], "canceled_at": tx.now}
        tx.change(payment, status="canceled", status_transitions=steps)
        intent = tx.get("payment_intent", payment["payment"]["payment_intent"])
        tx.change(intent, status="canceled", canceled_at=tx.now, cancellation_reason="void_invoice", next_action=None)
        emit(tx, "payment_intent.canceled", intent)
    emit(tx, "invoice.voided", invoice)


def give_up(tx: Tx, invoice: Object) -> None:
    """It will hardly be paid, and no more attempts are made; it still can be paid."""
    _close(tx, invoice, "uncollectible", "marked_uncollectible_at")
    emit(tx, "invoice.marked_uncollectible", invoice)


def stop_collecting(tx: Tx, invoice: Object) -> None:
    """Leave it open, without attempts of our own."""
    before = tx.change(invoice, auto_advance=False, next_payment_attempt=None)
    if before:
        emit(tx, "invoice.updated", invoice, before)


def default_payment(tx: Tx, invoice: Object) -> Object | None:
    """The open or paid payment of an invoice; None when nothing was due."""
    return next(iter(tx.every("invoice_payment", limit=1, invoice=invoice["id"])), None)


def next_number(tx: Tx, customer: Object) -> str:
    """The customer's next invoice number, counted without gaps."""
    number = customer["next_invoice_sequence"]
    prefix = customer["invoice_prefix"] or customer["id"][-8:].upper()
    tx.change(customer, invoice_prefix=prefix, next_invoice_sequence=number + 1)
    return f"{prefix}-{number:04d}"


def of_subscription(tx: Tx, subscription: str, **fields: Any) -> list[Object]:
    """Its invoices, newest first."""
    return tx.every("invoice", parent__subscription_details__subscription=subscription, **fields)


def subscription_of(tx: Tx, invoice: Object) -> Object | None:
    """The subscription an invoice is for, or None for a receipt."""
    details = (invoice["parent"] or {}).get("subscription_details")
    return tx.get("subscription", details["subscription"]) if details else None


def _close(tx: Tx, invoice: Object, status: str, step: str) -> None:
    steps = {**invoice["status_transitions"], step: tx.now}
    tx.change(invoice, status=status, auto_advance=False, next_payment_attempt=None, status_transitions=steps)


def _await_payment(tx: Tx, invoice: Object, intent: Object | None) -> None:
    if intent is None:
        intent = open_intent(
            tx,
            amount=invoice["amount_due"],
            currency=invoice["currency"],
            customer=invoice["customer"],
            description=_ABOUT.get(invoice["billing_reason"], f"Invoice {invoice['number']}"),
            setup_future_usage="off_session",
        )
    tx.new(
        "invoice_payment",
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        payment={"payment_intent": intent["id"], "type": "payment_intent"},
    )


def _parent(subscription: Object, proration_date: int | None) -> Object:
    details = {
        "metadata": subscription["metadata"],
        "subscription": subscription["id"],
        "subscription_proration_date": proration_date,
    }
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


def _person(customer: Object) -> Object:
    known = {f"customer_{name}": customer[name] for name in ("address", "email", "name", "phone", "tax_exempt")}
    return {"customer": customer["id"], **known}


def _sums(tx: Tx, lines: list[Object], held: list[Object], taxed: bool) -> Object:
    """Discounts and taxes written on the lines, and the sums of all."""
    discounts.take_off(tx, lines, held)
    for line in lines:
        price = tx.get("price", line["pricing"]["price_details"]["price"])
        base = discounts.net(line)
        line["taxes"] = taxes(tax_on(base, rate_for(tx, price, taxed)), base)
    subtotal, base = sum(line["amount"] for line in lines), sum(discounts.net(line) for line in lines)
    listed = [each for line in lines for each in line["taxes"]]
    tax = sum(each["amount"] for each in listed)
    return {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": base + tax,
        "total_discount_amounts": [_taken(lines, each["id"]) for each in held],
        "total_excluding_tax": base,
        "total_taxes": taxes(tax, sum(each["taxable_amount"] for each in listed)),
    }


def _taken(lines: list[Object], discount: str) -> Object:
    given = [each["amount"] for line in lines for each in line["discount_amounts"] if each["discount"] == discount]
    return {"amount": sum(given), "discount": discount}
