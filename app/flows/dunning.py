"""Dunning by occasion: what is tried at once when money or a new card arrives for a subscription in arrears (P11)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import clock
from app.errors import InsufficientFunds, WalletFrozen
from app.flows import charge_card, owed
from app.subscriptions import arrears, bills, lifecycle
from app.subscriptions.models import Subscription

_BEHIND = ("past_due", "restricted")


def lock(session: Session, customer_id: str) -> Subscription | None:
    """The customer's subscription, locked, as are invoices of usage that wait for money, which are tried again at once.

    Before money comes in: whoever collects locks them, too, and the wallet last, so nobody waits in a circle.
    """
    sub = lifecycle.live(session, customer_id, lock=True)
    owed.try_soon(session, customer_id)
    return sub


def wallet_filled(session: Session, customer_id: str) -> bool:
    """Money came into the wallet: pay the open invoice of a subscription in arrears with it; whether that was done.

    In the transaction that brought the money, after `lock`. Where it is still short nothing happens, and no retry is
    used up. While a card is being charged for the invoice, that is awaited.
    """
    sub = lifecycle.live(session, customer_id)
    if sub is None or sub.paid_by != "wallet" or sub.status not in _BEHIND:
        return False
    invoice = bills.open_one(session, sub)
    if invoice is None or charge_card.under_way(session, invoice) is not None:
        return False
    try:
        bills.pay_from_wallet(session, invoice, description=f"Invoice {invoice.number}")
    except (InsufficientFunds, WalletFrozen):
        return False
    arrears.paid(session, sub)
    return True


def card_changed(session: Session, customer_id: str) -> bool:
    """A card was saved, or another became the default: the worker tries the open invoice at once. Whether there is one.

    For invoices of ours and the provider's alike.
    """
    sub = lock(session, customer_id)
    if sub is None or sub.status not in _BEHIND:
        return False
    sub.due_at = clock.now()
    if sub.paid_by == "wallet":
        sub.next_attempt_at = clock.now()
    session.flush()
    return True
