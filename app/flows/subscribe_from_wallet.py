"""Subscribing from the wallet (SPEC P5, P10): invoice, payment, subscription and period, all or nothing."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, coupons
from app.catalogue import publish, reads
from app.db import transaction
from app.errors import IdempotencyKeyReused, Invalid
from app.invoices import Invoice, NewLine
from app.subscriptions import bills, lifecycle, renewal, sale
from app.subscriptions.lifecycle import AlreadySubscribed
from app.subscriptions.models import Subscription, SubscriptionPeriod
from app.subscriptions.periods import Interval, anchored
from app.subscriptions.sale import Sale
from app.subscriptions.unused import current_period

_LONGEST_KEY = 200


class Subscriber(Protocol):
    """Who subscribes; `app.customers.Customer` is one. Periods are counted in their time zone, frozen now."""

    @property
    def id(self) -> str: ...
    @property
    def time_zone(self) -> str: ...


def start(
    session: Session,
    customer: Subscriber,
    plan_key: str,
    interval: str,
    *,
    form_key: str,
    actor: str,
    coupon: str | None = None,
) -> Subscription:
    """A subscription whose first period is paid from the wallet. The same `form_key` gives the same subscription.

    Raises InsufficientFunds with what is missing and the remedy, and then nothing has changed; AlreadySubscribed,
    PlanNotForSale, NotFound, CouponRefused, and IdempotencyKeyReused when the form now asks for something else.
    """
    if not 1 <= len(form_key) <= _LONGEST_KEY or not form_key.isprintable():
        raise Invalid("This form is incomplete. Open the page again.", field="form_key")
    customer_id, zone, every = customer.id, customer.time_zone, Interval(interval)
    try:
        with transaction(session):
            before = _made_by(session, customer_id, form_key)
            if before is not None:
                return _same(session, before, plan_key, every)
            lifecycle.refuse_second(session, customer_id)
            bought = sale.offered(session, customer_id, plan_key, every)
            publish.mark_sold(session, bought.terms.id, bought.terms.version)
            sub = _begin(session, customer_id, zone, bought, actor=actor)
            _pay_first_period(session, sub, bought, form_key=form_key, coupon=coupon, actor=actor)
            return sub
    except AlreadySubscribed:
        # The form may have been sent twice at once: then the other one's subscription is this one's.
        with transaction(session):
            before = _made_by(session, customer_id, form_key)
            if before is None:
                raise
            return _same(session, before, plan_key, every)


def _begin(session: Session, customer_id: str, zone: str, bought: Sale, *, actor: str) -> Subscription:
    anchor = anchored(clock.now(), zone)  # the date of the first paid activation is the billing date (P5)
    period = anchor.period(0, bought.interval)
    return lifecycle.begin(
        session,
        customer_id=customer_id,
        plan_id=bought.terms.id,
        version=bought.terms.version,
        interval=bought.interval,
        price=bought.price,
        paid_by="wallet",
        anchor=anchor,
        period=period,
        actor=actor,
        due_at=period.end,
    )


def _pay_first_period(
    session: Session, sub: Subscription, bought: Sale, *, form_key: str, coupon: str | None, actor: str
) -> None:
    discount = None
    if coupon:
        _, discount = coupons.reserve(
            session, coupon, customer_id=sub.customer_id, what=bought.what, price=bought.price, key=sub.id
        )
    period = current_period(sub)
    line = NewLine(bills.called(bought.terms, bought.interval), amount_minor=bought.price.minor, period=period)
    key = _key(form_key)
    invoice = bills.make(session, sub, [line], key=key, reason="subscription_create", period=period, discount=discount)
    bills.pay_from_wallet(session, invoice, description=f"{line.description}, invoice {invoice.number}")
    renewal.enter(session, sub, period, invoice)
    if discount is not None:
        months = bought.interval.months
        coupons.redeem(session, sub.customer_id, sub.id, subscription_id=sub.id, months=months, actor=actor)


def _made_by(session: Session, customer_id: str, form_key: str) -> Invoice | None:
    """The first invoice of the subscription this form began, which bears the form's key."""
    mine = (Invoice.customer_id == customer_id, Invoice.source == "purser", Invoice.key == _key(form_key))
    return session.scalars(select(Invoice).where(*mine)).one_or_none()


def _same(session: Session, invoice: Invoice, plan_key: str, interval: Interval) -> Subscription:
    """What the form made the first time, if it asks for the same now."""
    assert invoice.subscription_id is not None, "the form began a subscription"
    assert invoice.period_start is not None, "with a period"
    ids = (invoice.customer_id, invoice.subscription_id)
    first = session.get_one(SubscriptionPeriod, (*ids, invoice.period_start))
    bought = reads.version_of(session, first.plan_id, first.version)
    if (bought.key.lower(), first.interval) != (plan_key.lower(), interval.value):
        raise IdempotencyKeyReused("This form was already sent with another plan. Open the page again.", field="plan")
    return session.get_one(Subscription, ids)


def _key(form_key: str) -> str:
    return f"subscribe:{form_key}"
