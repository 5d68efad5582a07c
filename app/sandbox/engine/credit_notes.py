"""Credit notes: part of an invoice taken back, line by line with its tax, as a refund, to the balance, or both."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.sandbox.blanks import Object, blank
from app.sandbox.engine import balances, bills, collection, discounts, refunds
from app.sandbox.engine.amounts import dollars, share, taxes
from app.sandbox.fault import refused
from app.sandbox.ids import new_id
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit


@dataclass
class Wish:
    """What is to be credited: `(line id, amount)` before tax, and where a paid invoice's money goes. Minor units."""

    lines: list[tuple[str, int]]
    refund: int = 0
    credit: int = 0
    elsewhere: int = 0
    refunded: list[tuple[str, int]] = field(default_factory=list)  # refunds that were made before, and how much of each
    more: Object = field(default_factory=dict)  # reason, memo, metadata


def compose(tx: Tx, invoice: Object, wish: Wish) -> Object:
    """The credit note as it would be, kept nowhere. Raises a Fault for more than a line or the invoice has left."""
    if invoice["status"] not in ("open", "paid", "uncollectible"):
        raise refused("You can only create credit notes for finalized invoices.", param="invoice")
    before = of_invoice(tx, invoice)
    lines = [_line(invoice, before, each, amount) for each, amount in wish.lines]
    subtotal = sum(line["amount"] for line in lines)
    listed = [each for line in lines for each in line["taxes"]]
    tax = sum(each["amount"] for each in listed)
    identifier, total = new_id("credit_note"), subtotal + tax
    paid = invoice["status"] == "paid"
    number = f"{invoice['number']}-CN-{len(before) + 1:02d}"
    return blank(
        "credit_note",
        id=identifier,
        created=tx.now,
        amount=total,
        currency=invoice["currency"],
        customer=invoice["customer"],
        effective_at=tx.now,
        invoice=invoice["id"],
        lines={
            "object": "list",
            "data": lines,
            "has_more": False,
            "url": f"/v1/credit_notes/{identifier}/lines",
        },
        number=number,
        out_of_band_amount=wish.elsewhere or None,
        pdf=f"{tx.root}/i/{invoice['id']}/pdf",
        post_payment_amount=total if paid else 0,
        pre_payment_amount=0 if paid else total,
        subtotal=subtotal,
        subtotal_excluding_tax=subtotal,
        total=total,
        total_excluding_tax=subtotal,
        total_taxes=taxes(tax, sum(each["taxable_amount"] for each in listed)),
        type="post_payment" if paid else "pre_payment",
        **wish.more,
    )


def issue(tx: Tx, invoice: Object, wish: Wish) -> Object:
    """Keep it and move the money. Raises a Fault when the parts do not add up to its total."""
    body = compose(tx, invoice, wish)
    if invoice["status"] == "paid":
        _check_parts(invoice, wish, body["total"])
    elif body["total"] > invoice["amount_remaining"]:
        raise refused("The credit note is greater than what remains of the invoice.", param="amount")
    note = tx.new("credit_note", **{name: value for name, value in body.items() if name != "object"})
    if invoice["status"] == "paid":
        _pay_out(tx, invoice, note, wish)
    else:
        _lessen(tx, invoice, body["total"])
    emit(tx, "credit_note.created", note)
    return note


def of_invoice(tx: Tx, invoice: Object) -> list[Object]:
    """The credit notes an invoice has, newest first."""
    return tx.every("credit_note", invoice=invoice["id"])


def _line(invoice: Object, before: list[Object], line_id: str, amount: int) -> Object:
    line = next((each for each in invoice["lines"]["data"] if each["id"] == line_id), None)
    if line is None:
        raise refused(f"No such invoice line item: '{line_id}'", code="resource_missing", param="lines")
    old = [each for note in before for each in note["lines"]["data"] if each["invoice_line_item"] == line_id]
    gone, whole = sum(each["amount"] for each in old), discounts.net(line)
    if not 0 < amount <= whole - gone:
        words = f"The amount of a credit note line must be positive and at most {dollars(max(0, whole - gone))}."
        raise refused(words, param="lines")
    # Counted from the start, so that all credit notes of a line together give back its tax to the cent.
    tax = share(_tax(line), gone + amount, whole) - sum(_tax(each) for each in old)
    return blank(
        "credit_note_line_item",
        id=new_id("credit_note_line_item"),
        amount=amount,
        description=line["description"],
        invoice_line_item=line_id,
        quantity=1,
        taxes=taxes(tax, amount),
        unit_amount=amount,
        unit_amount_decimal=str(amount),
    )


def _tax(line: Object) -> int:
    return sum(each["amount"] for each in line["taxes"])


def _check_parts(invoice: Object, wish: Wish, total: int) -> None:
    parts = wish.refund + wish.credit + wish.elsewhere + sum(amount for _, amount in wish.refunded)
    if parts != total:
        raise refused(
            f"The sum of credit amount, refund amount and out of band amount ({dollars(parts)}) must equal "
            f"the credit note amount ({dollars(total)})."
        )
    if total > invoice["total"] - invoice["post_payment_credit_notes_amount"]:
        raise refused("The credit notes of an invoice cannot come to more than its total.", param="amount")
    if wish.refund > invoice["amount_paid"] - invoice["post_payment_credit_notes_amount"]:
        raise refused("The refund is greater than what was paid for the invoice.", param="refund_amount")


def _pay_out(tx: Tx, invoice: Object, note: Object, wish: Wish) -> None:
    given = []
    for name, amount in wish.refunded:
        given.append(_given(tx.get("refund", name, "refunds"), amount))
    if wish.refund:
        charge = tx.get("charge", collection.intent_of(tx, invoice)["latest_charge"])
        made = refunds.refund(tx, charge, wish.refund, reason="requested_by_customer")
        given.append(_given(made, wish.refund))
    if given:
        tx.change(note, refunds=given)
    if wish.credit:
        customer = tx.get("customer", invoice["customer"])
        entry = balances.move(tx, customer, -wish.credit, "credit_note", credit_note=note["id"])
        tx.change(note, customer_balance_transaction=entry["id"] if entry else None)
    so_far = invoice["post_payment_credit_notes_amount"] + note["total"]
    before = tx.change(invoice, post_payment_credit_notes_amount=so_far)
    emit(tx, "invoice.updated", invoice, before)


def _given(refund: Object, amount: int) -> Object:
    if amount > refund["amount"]:
        raise refused("The amount is greater than that of the refund.", param="refunds")
    return {"amount_refunded": amount, "payment_record_refund": None, "refund": refund["id"], "type": "refund"}


def _lessen(tx: Tx, invoice: Object, total: int) -> None:
    """Less is due of an open invoice; nothing at all makes it paid."""
    left = invoice["amount_remaining"] - total
    so_far = invoice["pre_payment_credit_notes_amount"] + total
    before = tx.change(invoice, amount_due=left, amount_remaining=left, pre_payment_credit_notes_amount=so_far)
    emit(tx, "invoice.updated", invoice, before)
    payment = bills.default_payment(tx, invoice)
    if payment is not None and left:
        tx.change(payment, amount_requested=left)
        tx.change(collection.intent_of(tx, invoice), amount=left)
