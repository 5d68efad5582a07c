"""How the order of a plan stands, in words: what happened, whether money moved, and what to do next."""

from __future__ import annotations

from flask import url_for

from app.http.filters import cents, day_text
from app.invoices import Invoice
from app.payments.models import Order
from app.subscriptions.standing import Standing
from app.web.order_words import About, until_paid
from app.web.waiting import Action, Line, Status, placed


def of(order: Order, standing: Standing, *, may_pay: bool, left: bool = False, first: Invoice | None = None) -> Status:
    """The state of an order. `left`: the reader came back without paying. Who may only look is offered no payment.

    `first` is the invoice of a paid one: what was charged in the end, with coupon and tax.
    """
    is_paid = order.state == "paid"
    words = _paid(order, standing, first) if is_paid else until_paid(order, _about(order), may_pay=may_pay, left=left)
    where = {"partial": "plan.order_status", "page": "plan.order", "purchase_id": order.id}
    return placed(words, order.state, may_pay=may_pay, left=left, **where)


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


def _about(order: Order) -> About:
    """What was ordered stands there by its price; what a coupon takes off shows on the payment page."""
    code, plans = order.request.get("coupon"), Action("See all plans", url_for("plan.show"))
    asked = {"plan": order.request.get("plan"), "interval": order.request.get("interval")}
    return About(
        ordered=(f"{plan_name(order)} plan", _amount(order), f"Before coupon {code}" if code else ""),
        then="the plan begins",
        pay="Go on and pay" + ("" if code else f" {_amount(order)}"),
        processing="Some ways of paying take days. The plan begins when the money arrives, not before.",
        failed="Nothing was charged, and your plan is as it was.",
        again=Action("Choose it again", url_for("plan_change.show", **asked), pays=True),
        home=plans,
        left=plans,
    )


def _amount(order: Order) -> str:
    return cents(order.amount_minor, order.currency)
