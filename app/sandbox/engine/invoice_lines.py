"""The lines of subscription invoices: whole periods, and the two halves of a proration. Amounts in minor units."""

from __future__ import annotations

from typing import Any

from app.sandbox.blanks import Object, blank
from app.sandbox.engine.amounts import dollars
from app.sandbox.engine.calendar import day
from app.sandbox.ids import new_id, random_text
from app.sandbox.tx import Tx


def whole_period(tx: Tx, item: Object, start: int, end: int, amount: int | None = None) -> Object:
    """What an item costs from start to end; `amount` where that is not simply its price."""
    price, quantity = item["price"], item["quantity"]
    each = dollars(price["unit_amount"])
    words = f"{quantity} × {_name(tx, price)} (at {each} / {_every(price)})"
    total = price["unit_amount"] * quantity if amount is None else amount
    return _line(item, total, start, end, description=words)


def trial(tx: Tx, item: Object, start: int, end: int) -> Object:
    """Nothing is due while a trial lasts, and a line says so."""
    return _line(item, 0, start, end, description=f"Trial period for {_name(tx, item['price'])}")


def unused(tx: Tx, item: Object, amount: int, period: tuple[int, int], credited: Object | None) -> Object:
    """The credit for what was debited and will not be used. `credited` names the debit's invoice and line."""
    words = f"Unused time on {_name(tx, item['price'])} after {day(period[0])}"
    return _proration(item, amount, period, words, credited)


def remaining(tx: Tx, item: Object, amount: int, period: tuple[int, int]) -> Object:
    """The debit for the rest of a period."""
    words = f"Remaining time on {_name(tx, item['price'])} after {day(period[0])}"
    return _proration(item, amount, period, words, None)


def as_list(lines: list[Object], invoice: str) -> Object:
    """The lines as an invoice holds them."""
    return {"object": "list", "data": lines, "has_more": False, "url": f"/v1/invoices/{invoice}/lines"}


def _proration(item: Object, amount: int, period: tuple[int, int], words: str, credited: Object | None) -> Object:
    line = _line(item, amount, *period, description=words, discountable=False)
    details = line["parent"]["subscription_item_details"]
    details.update(invoice_item=f"ii_{random_text(24)}", proration=True, proration_details={"credited_items": credited})
    return line


def _line(item: Object, amount: int, start: int, end: int, **fields: Any) -> Object:
    price, subscription = item["price"], item["subscription"] or None
    origin = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": subscription,
        "subscription_item": item["id"],
    }
    return blank(
        "line_item",
        id=new_id("line_item"),
        amount=amount,
        currency=price["currency"],
        parent={"invoice_item_details": None, "subscription_item_details": origin, "type": "subscription_item_details"},
        period={"end": end, "start": start},
        pricing={
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        quantity=item["quantity"],
        quantity_decimal=str(item["quantity"]),
        subscription=subscription,
        subtotal=amount,
        **fields,
    )


def _name(tx: Tx, price: Object) -> str:
    return str(tx.get("product", price["product"])["name"])


def _every(price: Object) -> str:
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    return str(interval) if count == 1 else f"{count} {interval}s"
