"""How the order of a credit pack stands, in words: what happened, whether money moved, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flask import url_for

from app.http.filters import cents, credit_count, day_text, number
from app.payments.models import Order
from app.web.waiting import DEBIT, LATER, SOON, Action, Line, Status, pace


def of(order: Order, *, may_pay: bool, left: bool = False, has: int = 0) -> Status:
    """The state of an order. `left`: the reader came back without paying. `has` is needed for a paid one: the credits
    there are now. Who may only look is offered nothing that leads to paying.
    """
    if order.state == "paid":
        words = _paid(order, has)
    elif left and order.state in ("open", "pending"):
        words = _left(order, may_pay)
    else:
        words = _WORDS[order.state](order)
    marked, seen = "1" if left else None, f"{order.state}-{words.poll_seconds}"
    return replace(
        words,
        actions=words.actions if may_pay else [action for action in words.actions if not action.pays],
        url=url_for("orders.status", order_id=order.id, seen=seen, left=marked),
        page=url_for("orders.one", order_id=order.id, left=marked),
        seen=seen,
    )


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


def _waiting(order: Order) -> Status:
    often = pace(order.updated_at)
    long = "This takes longer than usual. Nothing is lost: we also ask the provider ourselves."
    text = "This usually takes a few seconds." if often == SOON else long
    return Status(
        "Waiting",
        "clock",
        "warn",
        "Waiting for your payment to be confirmed",
        f"{text} You may leave this page: the credits arrive all the same.",
        [_ordered(order)],
        poll_seconds=often,
    )


def _left(order: Order, may_pay: bool) -> Status:
    going_on = [Action(f"Go on and pay {_due(order)}", order.checkout_url, pays=True)] if order.checkout_url else []
    still_open = " The payment page is still open if you want to go on." if may_pay and going_on else ""
    return Status(
        "Open",
        "clock",
        "warn",
        "You left the payment page",
        f"Nothing was charged.{still_open}",
        _nothing_charged(order),
        [*going_on, Action("See the packs", "/credits")],
        poll_seconds=LATER,
    )


def _processing(order: Order) -> Status:
    text = "A bank debit takes up to five business days. The credits arrive when the money does, not before."
    ways = [Action("See your credits", "/credits")]
    title = "The payment is on its way"
    return Status("Processing", "clock", "warn", title, text, [_ordered(order)], ways, poll_seconds=DEBIT)


def _failed(order: Order) -> Status:
    text = f"{order.failure or 'The bank declined it.'} No credits were added."
    ways = [_again(order), Action("See your credits", "/credits")]
    title = "The payment did not go through"
    return Status("Payment failed", "fail", "neg", title, text, _nothing_charged(order), ways)


def _over(word: str, title: str, text: str) -> Callable[[Order], Status]:
    return lambda order: Status(word, "void", "", title, text, _nothing_charged(order), [_again(order)])


_WORDS: dict[str, Callable[[Order], Status]] = {
    "pending": _waiting,
    "open": _waiting,
    "processing": _processing,
    "failed": _failed,
    "expired": _over(
        "Expired", "The payment page has closed", "It was open for too long without a payment. Nothing was charged."
    ),
    "canceled": _over("Canceled", "This order was canceled", "Nothing was charged."),
}


def _name(order: Order) -> str:
    """What was ordered, by the name it had then."""
    return str(order.request["name"])


def _due(order: Order) -> str:
    return cents(order.due_minor, order.currency)


def _ordered(order: Order) -> Line:
    code = order.request.get("coupon")
    return _name(order), _due(order), f"With coupon {code}" if code else ""


def _nothing_charged(order: Order) -> list[Line]:
    return [_ordered(order), ("Charged", cents(0, order.currency), "")]


def _again(order: Order) -> Action:
    return Action("Choose it again", url_for("packs.show", key=order.request["pack"]), pays=True)
