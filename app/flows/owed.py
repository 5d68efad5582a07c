"""An invoice of ours that no subscription pays, when a card could not pay it: the wallet, or another try later.

Nothing is taken away for it: a plan that a provider runs, or that is free, does not end over its usage (SPEC U3).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from app import clock, invoices, notices
from app.errors import InsufficientFunds, WalletFrozen
from app.invoices import Invoice
from app.notices import phrases
from app.subscriptions import bills, lifecycle
from app.subscriptions.dunning import next_retry
from app.subscriptions.models import Subscription

LEAST_BY_CARD = 50  # minor units: providers refuse to charge a card for less
TOO_SMALL = "It is too small to be charged to a card."


def alone() -> ColumnElement[bool]:
    """Which invoices are collected here: overage of a plan that is free, paid by card at a provider, or over.

    A live subscription that the wallet pays collects its own. Once it ends, what was used stays owed all the same.
    """
    collects = exists().where(
        Subscription.customer_id == Invoice.customer_id,
        Subscription.id == Invoice.subscription_id,
        Subscription.ended_at.is_(None),
        Subscription.paid_by == "wallet",
    )
    return and_(Invoice.reason == "usage", Invoice.source == "purser", ~collects)


def is_owed(session: Session, invoice: Invoice) -> bool:
    """Whether this one is collected here."""
    mine = (Invoice.customer_id == invoice.customer_id, Invoice.id == invoice.id)
    return session.scalar(select(Invoice.id).where(*mine, alone())) is not None


def not_by_card(session: Session, invoice: Invoice, why: str) -> None:
    """No card paid it, for the reason `why`. The wallet is the second choice, unless the plan is paid by card.

    What is too small for a card is the wallet's in any case.
    """
    if invoice.status != "open":
        return
    sub = lifecycle.live(session, invoice.customer_id)
    if sub is None or sub.paid_by == "wallet" or invoice.total_minor < LEAST_BY_CARD:
        try:
            bills.pay_from_wallet(session, invoice, description=f"Invoice {invoice.number}")
        except (InsufficientFunds, WalletFrozen):
            pass  # what is told is what the card said: that is how it is to be paid
        else:
            return
    _failed(session, invoice, why)


def try_soon(session: Session, customer_id: str) -> None:
    """There is money, or another card: the worker tries at once what was not paid."""
    waiting = select(Invoice).where(
        Invoice.customer_id == customer_id, Invoice.status == "open", Invoice.attempts > 0, alone()
    )
    waiting = waiting.order_by(Invoice.id)
    for invoice in session.scalars(waiting.with_for_update(of=Invoice).execution_options(populate_existing=True)):
        invoice.next_attempt_at = clock.now()
    session.flush()


def _failed(session: Session, invoice: Invoice, why: str) -> None:
    assert invoice.due_at is not None, "only a finalised invoice is collected"
    again = next_retry(invoice.due_at, clock.now())
    invoices.mark_failed(session, invoice, failure=why, next_attempt_at=again)
    notices.tell(
        session,
        invoice.customer_id,
        "invoice_unpaid",
        key=f"invoice_unpaid:{invoice.id}",  # told once, not for each try
        number=invoice.number,
        total_minor=invoice.total_minor,
        currency=invoice.currency,
        why=why,
        again=_again(again),
    )


def _again(at: datetime | None) -> str:
    return f"We will try again on {phrases.day(at)}." if at else "We will not try again by ourselves."
