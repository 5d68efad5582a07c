"""How a top-up stands, in words: what happened, whether money moved, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flask import url_for

from app.http.filters import cents, day_text, exact
from app.ledger import Balance
from app.payments.models import Order
from app.web.top_up_panel import figures
from app.web.waiting import DEBIT, LATER, SOON, Action, Line, Status, pace


def of(order: Order, *, may_pay: bool, left: bool = False, balance: Balance | None = None) -> Status:
    """The state of an order. `left`: the reader came back without paying. `balance` is needed for a paid one.

    Who may only look (`may_pay` False) is offered nothing that leads to paying.
    """
    if order.state == "paid":
        words = _paid(order, balance or Balance())
    elif left and order.state in ("open", "pending"):
        words = _left(order, may_pay)
    else:
        words = _WORDS[order.state](order)
    marked = "1" if left else None
    seen = f"{order.state}-{words.poll_seconds}"
    return replace(
        words,
        actions=words.actions if may_pay else [action for action in words.actions if not action.pays],
        url=url_for("top_up.status", order_id=order.id, seen=seen, left=marked),
        page=url_for("top_up.show", order_id=order.id, left=marked),
        seen=seen,
    )


def _paid(order: Order, balance: Balance) -> Status:
    return Status(
        "Paid",
        "ok",
        "pos",
        f"{_amount(order)} is in your wallet",
        "The payment is confirmed. Nothing is spent while the wallet is frozen."
        if balance.frozen
        else "The payment is confirmed and can be spent now.",
        [
            ("Top-up", f"+{_amount(order)}", day_text(order.paid_at or order.updated_at)),
            ("Wallet balance", exact(balance.balance, order.currency), ""),
        ],
        [Action("See the wallet", url_for("wallet.show"))],
    )


def _waiting(order: Order) -> Status:
    return Status(
        "Waiting",
        "clock",
        "warn",
        "Waiting for your payment to be confirmed",
        f"{_how_long(order)} You may leave this page: the wallet is credited all the same.",
        [("To be added to the wallet", _amount(order), "")],
        poll_seconds=pace(order.updated_at),
    )


def _left(order: Order, may_pay: bool) -> Status:
    address, still_open = order.checkout_url, "The payment page is still open if you want to go on."
    going_on = [Action(f"Go on and pay {_amount(order)}", address, pays=True)] if address else []
    return Status(
        "Open",
        "clock",
        "warn",
        "You left the payment page",
        f"Nothing was charged. {still_open}" if may_pay else "Nothing was charged.",
        _nothing_charged(order),
        [*going_on, _again(order, "Change the amount" if going_on else f"Top up {_amount(order)} again")],
        poll_seconds=LATER,
    )


def _processing(order: Order) -> Status:
    return Status(
        "Processing",
        "clock",
        "warn",
        "The payment is on its way",
        "A bank debit takes up to five business days. The wallet is credited when the money arrives, not before.",
        [("To be added to the wallet", _amount(order), "")],
        [Action("See the wallet", url_for("wallet.show"))],
        poll_seconds=DEBIT,
    )


def _failed(order: Order) -> Status:
    return Status(
        "Payment failed",
        "fail",
        "neg",
        "The payment did not go through",
        f"{order.failure or 'The bank declined it.'} Nothing was added to the wallet.",
        _nothing_charged(order),
        [_again(order), Action("See the wallet", url_for("wallet.show"))],
    )


def _expired(order: Order) -> Status:
    return Status(
        "Expired",
        "void",
        "",
        "The payment page has closed",
        "It was open for too long without a payment. Nothing was charged.",
        _nothing_charged(order),
        [_again(order)],
    )


def _canceled(order: Order) -> Status:
    return Status(
        "Canceled",
        "void",
        "",
        "This top-up was canceled",
        "Nothing was charged.",
        _nothing_charged(order),
        [_again(order)],
    )


_WORDS: dict[str, Callable[[Order], Status]] = {
    "pending": _waiting,
    "open": _waiting,
    "processing": _processing,
    "failed": _failed,
    "expired": _expired,
    "canceled": _canceled,
}


def _amount(order: Order) -> str:
    return cents(order.amount_minor, order.currency)


def _nothing_charged(order: Order) -> list[Line]:
    return [("Asked for", _amount(order), ""), ("Charged", cents(0, order.currency), "")]


def _again(order: Order, label: str = "") -> Action:
    """The wallet with the same amount already in the form."""
    address = url_for("wallet.show", amount=figures(order.amount_minor), _anchor="topup")
    return Action(label or f"Top up {_amount(order)} again", address, pays=True)


def _how_long(order: Order) -> str:
    if pace(order.updated_at) == SOON:
        return "This usually takes a few seconds."
    return "This takes longer than usual. Nothing is lost: we also ask the provider ourselves."
