"""Receipts: the paid invoice that a one-time checkout leaves when it was asked for one."""

from __future__ import annotations

from app.sandbox.blanks import Object, blank
from app.sandbox.engine.amounts import taxes
from app.sandbox.engine.bills import next_number
from app.sandbox.ids import new_id
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

_PAID = ("invoice.finalized", "invoice.paid", "invoice.payment_succeeded")


def write(tx: Tx, session: Object, intent: Object, lines: list[Object]) -> Object:
    """An invoice for what was bought, paid by this intent, and the news of it. Amounts in minor units."""
    customer = tx.get("customer", intent["customer"])
    data = session["invoice_creation"]["invoice_data"]
    invoice = tx.new(
        "invoice",
        attempt_count=1,
        attempted=True,
        currency=session["currency"],
        customer=customer["id"],
        customer_address=customer["address"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        description=data["description"],
        footer=data["footer"],
        metadata=data["metadata"] or {},
        number=next_number(tx, customer),
        status="paid",
        **_dates(tx.now),
        **_amounts(session),
        **_discounts(tx, session),
    )
    shown = {"hosted_invoice_url": f"{tx.root}/i/{invoice['id']}", "invoice_pdf": f"{tx.root}/i/{invoice['id']}/pdf"}
    tx.change(invoice, lines=_lines(tx, invoice, lines), **shown)
    _tell(tx, invoice, intent)
    return invoice


def _dates(now: int) -> Object:
    steps = {"finalized_at": now, "marked_uncollectible_at": None, "paid_at": now, "voided_at": None}
    return {"effective_at": now, "period_end": now, "period_start": now, "status_transitions": steps}


def _amounts(session: Object) -> Object:
    tax, subtotal, total = session["total_details"]["amount_tax"], session["amount_subtotal"], session["amount_total"]
    return {
        "amount_due": total,
        "amount_paid": total,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_excluding_tax": total - tax,
        "total_taxes": taxes(tax, total - tax),
    }


def _discounts(tx: Tx, session: Object) -> Object:
    redeemed = tx.hidden(session["id"]).get("redeemed")
    if redeemed is None:
        return {}
    taken = {"amount": session["total_details"]["amount_discount"], "discount": redeemed}
    return {"discounts": [redeemed], "total_discount_amounts": [taken]}


def _tell(tx: Tx, invoice: Object, intent: Object) -> None:
    draft = {**invoice, "status": "draft", "amount_paid": 0, "amount_remaining": invoice["amount_due"], "number": None}
    emit(tx, "invoice.created", draft)
    for kind in _PAID:
        emit(tx, kind, invoice)
    payment = tx.new(
        "invoice_payment",
        amount_paid=invoice["amount_paid"],
        amount_requested=invoice["amount_due"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        payment={"payment_intent": intent["id"], "type": "payment_intent"},
        status="paid",
        status_transitions={"canceled_at": None, "paid_at": tx.now},
    )
    emit(tx, "invoice_payment.paid", payment)


def _lines(tx: Tx, invoice: Object, items: list[Object]) -> Object:
    data = [_line(tx, invoice, item) for item in items]
    return {"object": "list", "data": data, "has_more": False, "url": f"/v1/invoices/{invoice['id']}/lines"}


def _line(tx: Tx, invoice: Object, item: Object) -> Object:
    price = item["price"]
    return blank(
        "line_item",
        id=new_id("line_item"),
        amount=item["amount_subtotal"],
        currency=item["currency"],
        description=item["description"],
        invoice=invoice["id"],
        period={"end": tx.now, "start": tx.now},
        pricing={
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        quantity=item["quantity"],
        quantity_decimal=str(item["quantity"]),
        subtotal=item["amount_subtotal"],
        taxes=taxes(item["amount_tax"], item["amount_subtotal"] - item["amount_discount"]),
    )
