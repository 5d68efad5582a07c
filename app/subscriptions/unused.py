"""What is left of a period that invoices of ours were paid for: its worth, and where it comes from (SPEC P6 to P8).

The worth is the plan's price for the seconds left over the seconds of the whole period, rounded once. Where a coupon
had taken something off, it is that much less: nobody gets back more than they paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.invoices import CreditNote, Invoice, InvoiceLine, InvoiceTax
from app.invoices.arithmetic import share_of_tax
from app.money import round_half_away
from app.subscriptions.models import Subscription, SubscriptionPeriod
from app.subscriptions.periods import Period
from app.subscriptions.proration import share_left


@dataclass(frozen=True, slots=True)
class Part:
    """How much of an invoice is unused, before tax, in minor units."""

    invoice: Invoice
    net_minor: int


def current_period(sub: Subscription) -> Period:
    """The whole period the subscription is in, as proration counts it. It has no number of its own here."""
    return Period(0, sub.period_start, sub.period_end)


def parts_left(session: Session, sub: Subscription, at: datetime, *, most: int | None = None) -> list[Part]:
    """From which invoices the rest of the period was paid, newest first; at most `most` minor units in all."""
    period = current_period(sub)
    if not period.holds(at):
        return []
    paid = _paid_invoices(session, sub)
    left = share_left(period, at)
    worth = _price_paid(session, sub, at, left.left, left.whole) if paid else 0
    rest = worth if most is None else min(worth, most)
    parts = []
    for invoice in paid:
        net = min(rest, invoice.net_minor - _credited(session, invoice))
        if net > 0:
            parts.append(Part(invoice, net))
            rest -= net
    return parts


def _price_paid(session: Session, sub: Subscription, at: datetime, left: int, whole: int) -> int:
    """The share of the plan's price, less the share of what a coupon took off the invoice that began this stretch.

    Of a stretch that money back began, in the middle of an invoice's time, the full price is what was kept.
    """
    billed_by = (
        select(SubscriptionPeriod.invoice_id, SubscriptionPeriod.starts_at)
        .where(
            SubscriptionPeriod.customer_id == sub.customer_id,
            SubscriptionPeriod.subscription_id == sub.id,
            SubscriptionPeriod.starts_at <= at,
            SubscriptionPeriod.ends_at > at,
        )
        .order_by(SubscriptionPeriod.starts_at.desc())
        .limit(1)
    )
    stretch = billed_by.subquery()
    charged = select(
        InvoiceLine.amount_minor, InvoiceLine.discount_minor, InvoiceLine.period_start == stretch.c.starts_at
    ).where(
        InvoiceLine.customer_id == sub.customer_id,
        InvoiceLine.invoice_id == stretch.c.invoice_id,
        InvoiceLine.amount_minor > 0,
    )
    lines = session.execute(charged).all()
    full, off = sum(amount for amount, _, _ in lines), sum(off for _, off, began in lines if began)
    if not full:
        return 0
    return round_half_away(sub.price_minor * left * (full - off), whole * full)


def _paid_invoices(session: Session, sub: Subscription) -> list[Invoice]:
    """Those whose time reaches into the period: also the month's whose rest was set against the year begun in it."""
    paid = select(Invoice).where(
        Invoice.customer_id == sub.customer_id,
        Invoice.subscription_id == sub.id,
        Invoice.period_end > sub.period_start,
        Invoice.source == "purser",
        Invoice.status.in_(("paid", "refunded")),
    )
    return list(session.scalars(paid.order_by(Invoice.created_at.desc(), Invoice.id.desc())))


def tax_back(session: Session, part: Part) -> int:
    """The tax that goes back with this part, as its credit note will say."""
    invoice, before = part.invoice, _credited(session, part.invoice)
    its = (InvoiceTax.customer_id == invoice.customer_id, InvoiceTax.invoice_id == invoice.id)
    return sum(
        share_of_tax(amount, invoice.net_minor, before, part.net_minor)
        for amount in session.scalars(select(InvoiceTax.amount_minor).where(*its))
    )


def _credited(session: Session, invoice: Invoice) -> int:
    """What credit notes took back of it already, before tax."""
    taken = select(func.coalesce(func.sum(CreditNote.net_minor), 0)).where(
        CreditNote.customer_id == invoice.customer_id, CreditNote.invoice_id == invoice.id
    )
    return session.execute(taken).scalar_one()
