"""What a checkout session costs: its lines less what coupons take off, and tax on the rest. Amounts in minor units."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.engine import discounts
from app.sandbox.engine.amounts import rate_for, tax_on
from app.sandbox.engine.discounts import Offer
from app.sandbox.fault import Fault
from app.sandbox.tx import Tx


def reckon(tx: Tx, lines: list[Object], offers: list[Offer], taxed: bool) -> Object:
    """Write discount, tax and total on every line, and return the session's sums."""
    for line in lines:
        line["amount_discount"] = 0
    for offer in offers:
        eligible = [line for line in lines if _covers(tx, offer.coupon, line)]
        left = [line["amount_subtotal"] - line["amount_discount"] for line in eligible]
        for line, amount in zip(eligible, discounts.parts(offer.coupon, left), strict=True):
            line["amount_discount"] += amount
    for line in lines:
        base = line["amount_subtotal"] - line["amount_discount"]
        line["amount_tax"] = tax_on(base, rate_for(tx, line["price"], taxed))
        line["amount_total"] = base + line["amount_tax"]
    sums = {name: sum(line[f"amount_{name}"] for line in lines) for name in ("subtotal", "discount", "tax", "total")}
    return {
        "amount_subtotal": sums["subtotal"],
        "amount_total": sums["total"],
        "total_details": {"amount_discount": sums["discount"], "amount_shipping": 0, "amount_tax": sums["tax"]},
        "discounts": [offer.named for offer in offers],
    }


def offers_of(tx: Tx, session: Object) -> list[Offer]:
    """The coupons a session was opened with, or was given on its page; whether they still count is not asked."""
    return [
        Offer(tx.get("coupon", each["coupon"]), tx.find(each["promotion_code"])) for each in session["discounts"] or []
    ]


def discounted(tx: Tx, session: Object, offers: list[Offer]) -> None:
    """Sell the same lines under these coupons from now on."""
    lines = tx.hidden(session["id"])["lines"]
    tx.change(session, **reckon(tx, lines, offers, bool(session["automatic_tax"]["enabled"])))
    tx.hide(session["id"], lines=lines)


def drop_spent_offers(tx: Tx, session: Object) -> str | None:
    """If a coupon ran out since it was given, sell without it, and say why; otherwise None."""
    try:
        for each in session["discounts"] or []:
            name = "promotion_code" if each["promotion_code"] else "coupon"
            discounts.offer(tx, {name: each[name]}, session["customer"])
    except Fault as fault:
        discounted(tx, session, [])
        return str(fault)
    return None


def _covers(tx: Tx, coupon: Object, line: Object) -> bool:
    products = tx.hidden(coupon["id"]).get("products")
    return not products or line["price"]["product"] in products
