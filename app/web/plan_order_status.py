"""How the order of a plan stands, in words: what happened, whether money moved, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flask import url_for

from app.http.filters import cents, day_text
from app.invoices import Invoice
from app.payments.models import Order
from app.subscriptions.standing import Standing
from app.web.waiting import DEBIT, LATER, SOON, Action, Line, Status, pace


def of(order: Order, standing: Standing, *, may_pay: bool, left: bool = False, first: Invoice | None = None) -> Status:
    """The state of an order. `left`: the reader came back without paying. Who may only look is offered no payment.

    `first` is the invoice of a paid one: what was charged in the end, with coupon and tax.
    """
    if order.state == "paid":
        words = _paid(order, standing, first)
    elif left and order.state in ("pending", "open"):
        words = _left(order, may_pay)
    else:
        words = _WORDS[order.state](order)
    marked, seen = "1" if left else None, f"{order.state}-{words.poll_seconds}"
    return replace(
        words,
        actions=words.actions if may_pay else [action for action in words.actions if not action.pays],
        url=url_for("plan.order_status", purchase_id=order.id, seen=seen, left=marked),
        page=url_for("plan.order", purchase_id=order.id, left=marked),
        seen=seen,
    )


def plan_name(order: Order) -> str:
    """What was ordered, by the name it had then."""
    return str(order.request["name"])


def _paid(order: Order, standing: Standing, first: Invoice | None) -> Status:
    live = standing.subscription
    name = standing.plan.name if standing.plan and live else plan_name(order)
    paid = cents(first.total_minor, first.currency) if first else _amount(order)
    renews = f" It renews {day_text(standing.next_billing_at)}." if standing.next_billing_at else ""
    text = f"The payment is confirmed, and what the plan includes can be used now.{renews}"
    actions = [Action("See your plan", url_for("plan.show"))]
    bill: list[Line] = [(f"{name} plan, paid", paid, day_text(order.paid_at or order.updated_at))]
    return Status("Paid", "ok", "pos", f"You are on {name}", text, bill, actions)


def _waiting(order: Order) -> Status:
    often = pace(order.updated_at)
    long = "This takes longer than usual. Nothing is lost: we also ask the provider ourselves."
    text = "This usually takes a few seconds." if often == SOON else long
    return Status(
        "Waiting",
        "clock",
        "warn",
        "Waiting for your payment to be confirmed",
        f"{text} You may leave this page: the plan begins all the same.",
        [_ordered(order)],
        poll_seconds=often,
    )


def _left(order: Order, may_pay: bool) -> Status:
    pay = "Go on and pay" + ("" if order.request.get("coupon") else f" {_amount(order)}")
    going_on = [Action(pay, order.checkout_url, pays=True)] if order.checkout_url else []
    still_open = " The payment page is still open if you want to go on." if may_pay and going_on else ""
    return Status(
        "Open",
        "clock",
        "warn",
        "You left the payment page",
        f"Nothing was charged.{still_open}",
        _nothing_charged(order),
        [*going_on, _plans()],
        poll_seconds=LATER,
    )


def _processing(order: Order) -> Status:
    text = "Some ways of paying take days. The plan begins when the money arrives, not before."
    title = "The payment is on its way"
    return Status("Processing", "clock", "warn", title, text, [_ordered(order)], [_plans()], poll_seconds=DEBIT)


def _failed(order: Order) -> Status:
    text = f"{order.failure or 'The bank declined it.'} Nothing was charged, and your plan is as it was."
    title = "The payment did not go through"
    return Status("Payment failed", "fail", "neg", title, text, _nothing_charged(order), [_again(order), _plans()])


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


def _amount(order: Order) -> str:
    return cents(order.amount_minor, order.currency)


def _ordered(order: Order) -> Line:
    """What was ordered, by its price; what a coupon takes off shows on the payment page."""
    code = order.request.get("coupon")
    return f"{plan_name(order)} plan", _amount(order), f"Before coupon {code}" if code else ""


def _nothing_charged(order: Order) -> list[Line]:
    return [_ordered(order), ("Charged", cents(0, order.currency), "")]


def _again(order: Order) -> Action:
    asked = {"plan": order.request.get("plan"), "interval": order.request.get("interval")}
    return Action("Choose it again", url_for("plan_change.show", **asked), pays=True)


def _plans() -> Action:
    return Action("See all plans", url_for("plan.show"))
