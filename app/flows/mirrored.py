"""A provider's invoice taken in: the document itself, the seconds it was made for, and what else hangs on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, coupons, invoices
from app.catalogue import reads
from app.flows.news import Effects
from app.invoices import Invoice
from app.money import Money
from app.payments import orders
from app.providers.billing import InvoiceDoc, InvoiceLine
from app.subscriptions import invoiced, prices
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.periods import Interval
from app.subscriptions.prices import Bought


def take_in(
    session: Session,
    channel: str,
    doc: InvoiceDoc,
    *,
    customer_id: str,
    subscription: Subscription | None,
    at: datetime,
) -> Effects:
    """Mirror it, and draw its consequences. `subscription` is ours, locked. Doing it again changes nothing."""
    if doc.status == "draft":
        return []  # not an invoice yet: the provider tells when it is
    invoice = invoices.mirror(
        session,
        customer_id=customer_id,
        channel=channel,
        doc=doc,
        subscription_id=subscription.id if subscription else None,
        order_id=None if doc.subscription_id else _order_of(session, doc, customer_id),
        version=at,
    )
    if subscription is not None:
        _enter_periods(session, subscription, doc, invoice)
        _note_attempts(subscription, doc)
        _note_change(session, subscription, doc, invoice)
        _use_coupon(session, subscription, doc, invoice)
    session.flush()
    return [{"kind": "invoice.mirrored", "invoice": invoice.id, "customer": customer_id, "status": invoice.status}]


def _order_of(session: Session, doc: InvoiceDoc, customer_id: str) -> str | None:
    """The top-up this is the receipt for, by the name we gave the purchase."""
    order = orders.find(session, doc.metadata.get("intent_id", ""))
    return order.id if order is not None and order.customer_id == customer_id else None


def _enter_periods(session: Session, subscription: Subscription, doc: InvoiceDoc, invoice: Invoice) -> None:
    """The seconds it was made for. Those of a change count once they are paid: until then the old plan's do."""
    counts = (
        ("paid", "refunded") if doc.reason == "subscription_update" else ("open", "paid", "uncollectible", "refunded")
    )
    if subscription.paid_by != "card" or doc.status not in counts:
        return
    for line in _charged(doc):
        assert line.period_start is not None
        assert line.period_end is not None
        bought = _bought(session, subscription, line)
        invoiced.enter_period(
            session,
            subscription,
            starts_at=line.period_start,
            ends_at=line.period_end,
            plan_id=bought.plan_id,
            version=bought.version,
            interval=bought.interval,
            invoice_id=invoice.id,
        )


def _charged(doc: InvoiceDoc) -> Iterator[InvoiceLine]:
    """The lines for a whole period. One over nothing is of the time before the first payment."""
    for line in doc.lines:
        start, end = line.period_start, line.period_end
        if not line.proration and line.amount > 0 and start is not None and end is not None and start < end:
            yield line


def _bought(session: Session, subscription: Subscription, line: InvoiceLine) -> Bought:
    named = line.provider_price_id or ""
    known = prices.behind(session, subscription.channel or "", named, None, has=subscription)
    price = Money(subscription.price_minor, subscription.currency)
    interval = Interval(subscription.interval)
    return known or Bought(subscription.plan_id, subscription.version, interval, price)


def _note_attempts(subscription: Subscription, doc: InvoiceDoc) -> None:
    """The provider retries by itself (SPEC P11): when it will is for people to see, nothing here acts on it."""
    if subscription.status in ("past_due", "restricted") and doc.status == "open" and subscription.paid_by == "card":
        subscription.attempts, subscription.next_attempt_at = doc.attempts, doc.next_attempt


def _note_change(session: Session, subscription: Subscription, doc: InvoiceDoc, invoice: Invoice) -> None:
    """Whether a change of plan was charged as it was shown. Another amount is noticed, never swallowed (SPEC P6)."""
    if doc.reason != "subscription_update" or doc.status not in ("paid", "refunded"):
        return
    change = _change_behind(session, subscription, doc)
    if change is None or change.invoice_id is not None:
        return
    change.invoice_id = invoice.id
    shown, charged = change.due_minor, doc.amount_due
    if shown != charged:
        told: dict[str, Any] = {"shown_minor": shown, "charged_minor": charged, "invoice": invoice.id}
        change.details = {**change.details, "charged": charged}
        activity.record(
            session, "system", "change.charged_differently", change.id, customer_id=change.customer_id, **told
        )


def _change_behind(session: Session, subscription: Subscription, doc: InvoiceDoc) -> SubscriptionChange | None:
    """The change this invoice is for: its lines begin at the instant the change was computed for."""
    since = {line.period_start for line in doc.lines}
    mine = select(SubscriptionChange).where(
        SubscriptionChange.customer_id == subscription.customer_id,
        SubscriptionChange.subscription_id == subscription.id,
        SubscriptionChange.kind.in_(("upgrade", "downgrade")),
        SubscriptionChange.state.in_(("in_flight", "applied")),
    )
    newest = session.scalars(mine.order_by(SubscriptionChange.created_at.desc()).limit(5))
    return next((change for change in newest if change.as_of in since), None)


def _use_coupon(session: Session, subscription: Subscription, doc: InvoiceDoc, invoice: Invoice) -> None:
    """A coupon that goes on for several invoices: this one is counted. The provider took it off by itself."""
    if doc.reason != "subscription_cycle" or doc.status != "paid":
        return
    price, what = Money(doc.subtotal, doc.currency), _what(session, subscription)
    discount = coupons.for_invoice(session, subscription.customer_id, subscription.id, price, what=what)
    if discount is not None:
        months = Interval(subscription.interval).months
        coupons.use_up(session, subscription.customer_id, discount, invoice_id=invoice.id, months=months)


def _what(session: Session, subscription: Subscription) -> str:
    return f"plan:{reads.version_of(session, subscription.plan_id, subscription.version).key}"
