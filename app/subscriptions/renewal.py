"""Renewal: a wallet-paid subscription goes from one period into the next, one invoice for each (SPEC R6, P7, P8, P10).

The boundary comes from the anchor, never from the time of the work: a worker that is days late makes the same periods.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app import coupons
from app.catalogue.terms import PlanTerms
from app.invoices import Invoice, NewLine
from app.money import Money
from app.subscriptions import bills, changes, invoiced, overrides, told
from app.subscriptions.models import Subscription
from app.subscriptions.periods import Anchor, Interval, Period
from app.subscriptions.sale import price_of
from app.subscriptions.standing import anchor_of


def next_period(session: Session, sub: Subscription) -> Invoice:
    """Enter the period that begins where this one ends, and answer its invoice, which is still to be paid.

    What was scheduled takes effect first. Once per subscription and period: the invoice's key says so.
    """
    start = sub.period_end
    is_another = _take_scheduled(session, sub, start)
    terms = overrides.terms_of(session, sub.customer_id, sub.plan_id, sub.version)
    interval = Interval(sub.interval)
    price = price_of(terms, interval)
    sub.price_minor = sub.price_minor if price is None else price
    period = _period_from(sub, start, interval)
    invoice = invoice_for(session, sub, terms, period, reason="subscription_cycle", key=bills.key_of(sub.id, period))
    enter(session, sub, period, invoice)
    if is_another:
        told.changed(session, sub, "changed")
    return invoice


def invoice_for(
    session: Session, sub: Subscription, terms: PlanTerms, period: Period, *, reason: str, key: str
) -> Invoice:
    """The invoice of a whole later period, with what the subscription's coupon takes off."""
    interval, price = Interval(sub.interval), Money(sub.price_minor, sub.currency)
    discount = coupons.for_invoice(session, sub.customer_id, sub.id, price, what=f"plan:{terms.key}")
    line = NewLine(bills.called(terms, interval), amount_minor=price.minor, period=period)
    invoice = bills.make(session, sub, [line], key=key, reason=reason, period=period, discount=discount)
    if discount is not None:
        coupons.use_up(session, sub.customer_id, discount, invoice_id=invoice.id, months=interval.months)
    return invoice


def enter(session: Session, sub: Subscription, period: Period, invoice: Invoice) -> None:
    """The subscription is in this whole period now, which this invoice is for; the worker is to look at its end."""
    sub.period_start, sub.period_end, sub.due_at = period.start, period.end, period.end
    session.flush()
    stretch(session, sub, period.start, invoice.id)


def stretch(session: Session, sub: Subscription, starts_at: datetime, invoice_id: str) -> None:
    """From `starts_at` to the end of the period it is invoiced by this, on the plan as it is now."""
    invoiced.enter_period(
        session,
        sub,
        starts_at=starts_at,
        ends_at=sub.period_end,
        plan_id=sub.plan_id,
        version=sub.version,
        interval=Interval(sub.interval),
        invoice_id=invoice_id,
        is_latest=True,  # invoices of ours are made one after the other
    )


def _take_scheduled(session: Session, sub: Subscription, at: datetime) -> bool:
    """Change to the plan that was waiting for this instant; whether one was."""
    change = changes.scheduled(session, sub.customer_id)
    if change is None or change.effective_at > at:
        return False
    changes.apply(session, change, actor="system")
    sub.plan_id, sub.version, sub.interval = change.plan_id, change.version, change.interval
    sub.price_minor, sub.currency = change.price_minor, change.currency
    return True


def _period_from(sub: Subscription, start: datetime, interval: Interval) -> Period:
    """The period of the anchor that begins at `start`; where none does (monthly turned yearly), it is a new anchor."""
    anchor = anchor_of(sub)
    period = anchor.period_at(start, interval) if start >= anchor.at else None
    if period is None or period.start != start:
        anchor = Anchor(start, anchor.zone)
        sub.anchor_at = start
        period = anchor.period(0, interval)
    return period
