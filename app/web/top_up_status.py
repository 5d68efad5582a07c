"""How a top-up stands, in words: what happened, whether money moved, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from sqlalchemy.orm import Session

from app import coupons, ledger
from app.coupons import gifts
from app.http.filters import cents, day_text, exact
from app.ledger import Balance
from app.payments.models import Order
from app.wallet.accounts import wallet_of
from app.web.order_words import About, until_paid
from app.web.top_up_panel import figures
from app.web.waiting import Action, Line, Status, placed


def read(session: Session, order: Order, *, may_pay: bool, left: bool = False) -> Status:
    """The same with what is there: the balance, and what a coupon gave on top of a paid one."""
    if order.state != "paid":
        return of(order, may_pay=may_pay, left=left)
    balance = ledger.balance(session, wallet_of(order.customer_id, order.currency))
    return of(order, may_pay=may_pay, left=left, balance=balance, on_top=_on_top(session, order))


def of(
    order: Order, *, may_pay: bool, left: bool = False, balance: Balance | None = None, on_top: Sequence[Line] = ()
) -> Status:
    """The state of an order. `left`: the reader came back without paying. A paid one needs its `balance`, and what came
    `on_top` of it.

    Who may only look (`may_pay` False) is offered nothing that leads to paying.
    """
    is_paid, shown = order.state == "paid", balance or Balance()
    words = _paid(order, shown, on_top) if is_paid else until_paid(order, _about(order), may_pay=may_pay, left=left)
    where = {"partial": "top_up.status", "page": "top_up.show", "order_id": order.id}
    return placed(words, order.state, may_pay=may_pay, left=left, **where)


def _paid(order: Order, balance: Balance, on_top: Sequence[Line]) -> Status:
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
            *on_top,
            ("Wallet balance", exact(balance.balance, order.currency), ""),
        ],
        [Action("See the wallet", url_for("wallet.show"))],
    )


def _on_top(session: Session, order: Order) -> list[Line]:
    """What its coupon gave in the wallet. Credits are granted a little later, and told on their own page."""
    used = coupons.redeemed_for(session, order.customer_id, order.id)
    given = ledger.find_entry(session, order.customer_id, gifts.key_of(used.id)) if used else None
    if given is None:
        return []
    amount = given.leg(wallet_of(order.customer_id, order.currency)).amount
    return [(given.data["description"], f"+{exact(amount, order.currency)}", "A gift, spent first")]


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
