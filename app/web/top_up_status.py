"""How a top-up stands, in words: what happened, whether money moved, and what to do next."""

from __future__ import annotations

from flask import url_for

from app.http.filters import cents, day_text, exact
from app.ledger import Balance
from app.payments.models import Order
from app.web.order_words import About, until_paid
from app.web.top_up_panel import figures
from app.web.waiting import Action, Status, placed


def of(order: Order, *, may_pay: bool, left: bool = False, balance: Balance | None = None) -> Status:
    """The state of an order. `left`: the reader came back without paying. `balance` is needed for a paid one.

    Who may only look (`may_pay` False) is offered nothing that leads to paying.
    """
    is_paid, shown = order.state == "paid", balance or Balance()
    words = _paid(order, shown) if is_paid else until_paid(order, _about(order), may_pay=may_pay, left=left)
    where = {"partial": "top_up.status", "page": "top_up.show", "order_id": order.id}
    return placed(words, order.state, may_pay=may_pay, left=left, **where)


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


def _about(order: Order) -> About:
    amount = _amount(order)
    # The wallet with the same amount already in the form.
    address = url_for("wallet.show", amount=figures(order.amount_minor), _anchor="topup")
    again = Action(f"Top up {amount} again", address, pays=True)
    return About(
        ordered=("Asked for", amount, ""),
        awaited=("To be added to the wallet", amount, ""),
        then="the wallet is credited",
        pay=f"Go on and pay {amount}",
        processing="A bank debit takes up to five business days. "
        "The wallet is credited when the money arrives, not before.",
        failed="Nothing was added to the wallet.",
        again=again,
        home=Action("See the wallet", url_for("wallet.show")),
        left=Action("Change the amount", address, pays=True) if order.checkout_url else again,
        called="top-up",
    )


def _amount(order: Order) -> str:
    return cents(order.amount_minor, order.currency)
