"""Bills: our own invoices for a subscription's periods, made and finalised at once, and paid from the wallet (P10)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app import clock, invoices
from app.catalogue.terms import PlanTerms
from app.coupons import Discount
from app.invoices import Invoice, NewLine
from app.subscriptions.models import Subscription
from app.subscriptions.periods import Interval, Period
from app.wallet.pay_invoice import pay_invoice

FROM_WALLET, NOTHING_DUE = "Wallet", "Nothing was due"
_EACH = {Interval.MONTH: "monthly", Interval.YEAR: "yearly"}


def key_of(subscription_id: str, period: Period) -> str:
    """What a period's invoice is for. The same period has the same invoice, however often and late it is asked for."""
    return f"{subscription_id}:{clock.timestamp(period.start)}"


def called(terms: PlanTerms, interval: Interval) -> str:
    """What a line and a statement call it: "Growth, monthly"."""
    return f"{terms.name}, {_EACH[interval]}"


def make(
    session: Session,
    sub: Subscription,
    lines: Sequence[NewLine],
    *,
    key: str,
    reason: str,
    period: Period,
    discount: Discount | None = None,
) -> Invoice:
    """The finalised invoice of this key: its number, its tax, and what is due."""
    made = invoices.make(
        session,
        customer_id=sub.customer_id,
        key=key,
        reason=reason,
        currency=sub.currency,
        lines=lines,
        subscription_id=sub.id,
        discount=discount,
        period=period,
    )
    return invoices.finalise(session, made) if made.status == "draft" else made


def pay_from_wallet(session: Session, invoice: Invoice, *, description: str) -> None:
    """Pay it in full, or not at all: raises InsufficientFunds and changes nothing. Once, however often it is asked."""
    if invoice.status != "open":
        return
    if invoice.total_minor == 0:
        invoices.mark_paid(session, invoice, paid_with=NOTHING_DUE, payment_id=None, at=clock.now())
        return
    entry = pay_invoice(session, invoice, description=description)
    invoices.mark_paid(session, invoice, paid_with=FROM_WALLET, payment_id=entry.id, at=clock.now())


def void_open(session: Session, sub: Subscription, *, actor: str = "system") -> None:
    """The subscription ends: what is open for its periods is void. What was used beyond the plan stays owed."""
    for invoice in session.scalars(_waiting(sub)).all():
        if invoice.reason != "usage":
            invoices.void(session, invoice, actor=actor)


def open_one(session: Session, sub: Subscription) -> Invoice | None:
    """The subscription's oldest invoice of ours that is not paid, locked."""
    return session.scalars(_waiting(sub).limit(1)).one_or_none()


def _waiting(sub: Subscription) -> Select[Invoice]:
    waiting = (
        select(Invoice)
        .where(
            Invoice.customer_id == sub.customer_id,
            Invoice.subscription_id == sub.id,
            Invoice.source == "purser",
            Invoice.status == "open",
        )
        .order_by(Invoice.created_at, Invoice.id)
        .with_for_update()
    )
    return waiting.execution_options(populate_existing=True)
