"""What the page of an order says until it is paid, whatever was ordered: what happened, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from app.http.filters import cents
from app.payments.models import Order
from app.web.waiting import DEBIT, LATER, SOON, Action, Line, Status, pace


@dataclass(frozen=True)
class About:
    """What one kind of order has of its own. `then` goes on without the reader, as "the credits arrive"."""

    ordered: Line
    then: str
    pay: str  # the words that lead back to the payment page
    processing: str
    failed: str
    again: Action
    home: Action
    left: Action  # beside going on to pay
    awaited: Line | None = None  # where it differs from what was ordered
    called: str = "order"


def until_paid(order: Order, about: About, *, may_pay: bool, left: bool) -> Status:
    """`left`: the reader came back without paying; `may_pay`: whether they may be told that they still can."""
    if left and order.state in ("pending", "open"):
        return _left(order, about, may_pay)
    awaited, bill = [about.awaited or about.ordered], [about.ordered, ("Charged", cents(0, order.currency), "")]
    if order.state in ("pending", "open"):
        return _to_be_confirmed(order, about, awaited)
    if order.state == "processing":
        title = "The payment is on its way"
        return Status("Processing", "clock", "warn", title, about.processing, awaited, [about.home], poll_seconds=DEBIT)
    if order.state == "failed":
        text = f"{order.failure or 'The bank declined it.'} {about.failed}"
        ways = [about.again, about.home]
        return Status("Payment failed", "fail", "neg", "The payment did not go through", text, bill, ways)
    if order.state == "expired":
        text = "It was open for too long without a payment. Nothing was charged."
        return Status("Expired", "void", "", "The payment page has closed", text, bill, [about.again])
    title = f"This {about.called} was canceled"
    return Status("Canceled", "void", "", title, "Nothing was charged.", bill, [about.again])


def _to_be_confirmed(order: Order, about: About, awaited: list[Line]) -> Status:
    often = pace(order.updated_at)
    long = "This takes longer than usual. Nothing is lost: we also ask the provider ourselves."
    text = "This usually takes a few seconds." if often == SOON else long
    said = f"{text} You may leave this page: {about.then} all the same."
    title = "Waiting for your payment to be confirmed"
    return Status("Waiting", "clock", "warn", title, said, awaited, poll_seconds=often)


def _left(order: Order, about: About, may_pay: bool) -> Status:
    going_on = [Action(about.pay, order.checkout_url, pays=True)] if order.checkout_url else []
    still_open = " The payment page is still open if you want to go on." if may_pay and going_on else ""
    bill = [about.ordered, ("Charged", cents(0, order.currency), "")]
    return Status(
        "Open",
        "clock",
        "warn",
        "You left the payment page",
        f"Nothing was charged.{still_open}",
        bill,
        [*going_on, about.left],
        poll_seconds=LATER,
    )
