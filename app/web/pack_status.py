"""How the order of a credit pack stands, in words: what happened, whether money moved, and what to do next."""

from __future__ import annotations

from flask import url_for

from app.http.filters import cents, credit_count, day_text, number
from app.payments.models import Order
from app.web.order_words import About, until_paid
from app.web.waiting import Action, Line, Status, placed


def of(order: Order, *, may_pay: bool, left: bool = False, has: int = 0) -> Status:
    """The state of an order. `left`: the reader came back without paying. `has` is needed for a paid one: the credits
    there are now. Who may only look is offered nothing that leads to paying.
    """
    is_paid = order.state == "paid"
    words = _paid(order, has) if is_paid else until_paid(order, _about(order), may_pay=may_pay, left=left)
    where = {"partial": "orders.status", "page": "orders.one", "order_id": order.id}
    return placed(words, order.state, may_pay=may_pay, left=left, **where)


def _paid(order: Order, has: int) -> Status:
    bill: list[Line] = [
        (_name(order), credit_count(order.request["credits"], sign=True), day_text(order.paid_at or order.updated_at))
    ]
    if order.request.get("bonus_credits"):
        bonus = credit_count(order.request["bonus_credits"], sign=True)
        bill.append((f"Coupon {order.request['coupon']}", bonus, ""))
    free = not order.due_minor
    text = (
        "The coupon paid for it. They can be used now." if free else "The payment is confirmed. They can be used now."
    )
    title = f"{credit_count(order.request['credits'])} are yours"
    total: Line = ("Credits now", number(has), "")
    return Status("Paid", "ok", "pos", title, text, [*bill, total], [Action("See your credits", "/credits")])


def _about(order: Order) -> About:
    code, due = order.request.get("coupon"), cents(order.due_minor, order.currency)
    return About(
        ordered=(_name(order), due, f"With coupon {code}" if code else ""),
        then="the credits arrive",
        pay=f"Go on and pay {due}",
        processing="A bank debit takes up to five business days. The credits arrive when the money does, not before.",
        failed="No credits were added.",
        again=Action("Choose it again", url_for("packs.show", key=order.request["pack"]), pays=True),
        home=Action("See your credits", "/credits"),
        left=Action("See the packs", "/credits"),
    )


def _name(order: Order) -> str:
    """What was ordered, by the name it had then."""
    return str(order.request["name"])
