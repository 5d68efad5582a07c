"""Refunds in the books: set aside first, then arrived or put back; of a wallet, or of a sale a card paid (SPEC W4, R2).

Set aside means out of where it came from and in the house's account `refunds`, so that nobody spends it while a
provider is asked. Each verb does its movement once per refund.
"""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.orm import Session

from app import ledger
from app.ledger import HOUSE, Account
from app.money import minor_to_micros
from app.wallet.accounts import cash, losses, revenue, tax, wallet_of


class Refunded(Protocol):
    """What the books need to know of a refund; `app.payments.models.Refund` is one. Minor units of `currency`."""

    @property
    def id(self) -> str: ...
    @property
    def customer_id(self) -> str: ...
    @property
    def channel(self) -> str | None: ...
    @property
    def payment_id(self) -> str | None: ...
    @property
    def order_id(self) -> str | None: ...
    @property
    def net_minor(self) -> int: ...
    @property
    def tax_minor(self) -> int: ...
    @property
    def own_loss_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...


def on_the_way(currency: str = "usd") -> Account:
    """What is going back and has not arrived."""
    return Account(HOUSE, "refunds", currency)


def set_aside(session: Session, refund: Refunded) -> ledger.Entry:
    """Out of the wallet. Raises InsufficientFunds, WalletFrozen."""
    legs = {wallet_of(refund.customer_id, refund.currency): -_net(refund), on_the_way(refund.currency): _net(refund)}
    return _post(session, refund, "refund", legs, "Refund")


def set_aside_of_sale(session: Session, refund: Refunded) -> ledger.Entry:
    """Out of what the house earned by a sale, and the tax on it."""
    return _post(session, refund, "sale_refund", _of_sale(refund, on_the_way(refund.currency), back=True), "Refund")


def arrived(session: Session, refund: Refunded, *, of_sale: bool) -> ledger.Entry:
    """The provider has paid it."""
    amount = _net(refund) + (_tax(refund) if of_sale else 0)
    legs = {on_the_way(refund.currency): -amount, _cash(refund): amount}
    return _post(session, refund, "refund_paid", legs, "Refund", step="paid")


def restore(session: Session, refund: Refunded, *, was_paid: bool) -> ledger.Entry:
    """Back into the wallet: it did not reach the customer. `was_paid`: we had been told that it did."""
    source = _cash(refund) if was_paid else on_the_way(refund.currency)
    legs = {wallet_of(refund.customer_id, refund.currency): _net(refund), source: -_net(refund)}
    return _post(session, refund, "refund_restored", legs, "Refund returned", step="restored")


def restore_sale(session: Session, refund: Refunded, *, was_paid: bool = False) -> ledger.Entry:
    """The sale stands: nothing of it went back. `was_paid`: we had been told that it did."""
    legs = _of_sale(refund, _cash(refund) if was_paid else on_the_way(refund.currency), back=False)
    return _post(session, refund, "sale_refund_restored", legs, "Refund returned", step="restored")


def owe_instead(session: Session, refund: Refunded) -> ledger.Entry:
    """The sale is undone and its money came back to us after all: it is the customer's, and goes to the wallet."""
    amount = _net(refund) + _tax(refund)
    legs = {wallet_of(refund.customer_id, refund.currency): amount, _cash(refund): -amount}
    return _post(session, refund, "refund_restored", legs, "Refund that could not be paid out", step="restored")


def paid_out(session: Session, refund: Refunded, *, but_minor: int = 0) -> ledger.Entry:
    """The provider paid it without being asked by us: the money is gone, even if that leaves a hole (SPEC R2).

    `but_minor` of it a dispute had taken out of the wallet.
    """
    amount = _net(refund) - minor_to_micros(but_minor, refund.currency)
    legs = {wallet_of(refund.customer_id, refund.currency): -amount, _cash(refund): amount}
    return _post(session, refund, "provider_refund", legs, "Refund")


def paid_out_of_sale(session: Session, refund: Refunded) -> ledger.Entry:
    """The same for a sale."""
    return _post(session, refund, "sale_refund", _of_sale(refund, _cash(refund), back=True), "Refund")


def lose(session: Session, refund: Refunded) -> ledger.Entry:
    """What it came to beyond what was paid leaves the provider's cash, and is our loss."""
    amount = minor_to_micros(refund.own_loss_minor, refund.currency)
    legs = {losses(refund.currency): -amount, _cash(refund): amount}
    return _post(session, refund, "refund_loss", legs, "Refund beyond what was paid", step="loss")


def is_lost(session: Session, refund: Refunded) -> bool:
    """Whether such a loss of it is in the books."""
    return ledger.find_entry(session, refund.customer_id, f"refund:{refund.id}:loss") is not None


def lose_less(session: Session, refund: Refunded, *, minor: int, after: str) -> ledger.Entry:
    """So much of the loss is none: the provider has the money, or something else took it out of the cash."""
    amount = minor_to_micros(minor, refund.currency)
    legs = {losses(refund.currency): amount, _cash(refund): -amount}
    step = f"loss:{after}"
    return _post(session, refund, "refund_loss_ended", legs, "Refund beyond what was paid", step=step)


def give_after_all(session: Session, refund: Refunded, *, minor: int, after: str, of_sale: bool) -> ledger.Entry:
    """So much of the loss was due to the customer after all: the wallet, or the sale, gives it."""
    amount = minor_to_micros(minor, refund.currency)
    to = losses(refund.currency) if is_lost(session, refund) else _cash(refund)
    giver = revenue(refund.currency) if of_sale else wallet_of(refund.customer_id, refund.currency)
    kind = "sale_refund" if of_sale else "provider_refund"
    return _post(session, refund, kind, {giver: -amount, to: amount}, "Refund", step=f"after:{after}")


def _of_sale(refund: Refunded, to: Account, *, back: bool) -> dict[Account, int]:
    sign = -1 if back else 1
    net, taxes = sign * _net(refund), sign * _tax(refund)
    return {revenue(refund.currency): net, tax(refund.currency): taxes, to: -net - taxes}


def _net(refund: Refunded) -> int:
    return minor_to_micros(refund.net_minor - refund.own_loss_minor, refund.currency)


def _tax(refund: Refunded) -> int:
    return minor_to_micros(refund.tax_minor, refund.currency)


def _cash(refund: Refunded) -> Account:
    assert refund.channel is not None, "only a provider's money goes back to one"
    return cash(refund.channel, refund.currency)


def _post(
    session: Session, refund: Refunded, kind: str, legs: dict[Account, int], description: str, *, step: str = ""
) -> ledger.Entry:
    said = {"refund": refund.id, "channel": refund.channel, "payment": refund.payment_id, "order": refund.order_id}
    return ledger.post(
        session,
        kind,
        {account: amount for account, amount in legs.items() if amount},
        customer_id=refund.customer_id,
        key=":".join(["refund", refund.id, *([step] if step else [])]),
        data={"description": description, **{name: value for name, value in said.items() if value}},
    )
