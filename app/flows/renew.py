"""Renewals: the worker's walk over wallet-paid subscriptions that are due, one transaction for each (SPEC P10, R6).

Run twice, by two workers, after a kill or days late, it comes to the same: a period's invoice is named by subscription
and period, the wallet's entry by the invoice, the card's charge by an order. Missed periods follow each other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.flows import charge_card, collect, hand_over, take_over
from app.flows.collect import Next, Providers
from app.invoices import Invoice
from app.subscriptions import arrears, bills, lifecycle, renewal
from app.subscriptions.dunning import GRACE_DAYS
from app.subscriptions.models import Subscription

log = logging.getLogger(__name__)

_BREATH = 0.005  # seconds between two renewals on SQLite
_PUT_OFF = timedelta(minutes=5)  # one whose step broke: it must not hold up the others


def renew_due(
    session_factory: Callable[[], Session], providers: Providers, *, limit: int = 50, grace_days: int = GRACE_DAYS
) -> int:
    """Do what is due for up to `limit` subscriptions; for how many that was. Never raises for what one of them does."""
    if not is_due(session_factory):
        return 0
    with session_factory() as session:
        for done in range(limit):
            if not _one(session, providers, grace_days):
                return done
            _let_others_write(session)
    return limit


def _one(session: Session, providers: Providers, grace_days: int) -> bool:
    """The most overdue subscription that no other worker has in hand; False where there is none."""
    customer_id = None
    try:
        with transaction(session):
            sub = _take(session)
            if sub is None:
                return False
            customer_id = sub.customer_id
            then = step(session, providers, sub, grace_days=grace_days)
        if then is not None:
            then(session, providers)
    except OperationalError as busy:
        # On SQLite one worker can keep the others out for long; PostgreSQL ends one of two that wait for each other.
        log.warning("the database is busy, and what is due stays due: %s", busy)
        return False
    except Exception:
        if customer_id is None:
            raise
        log.exception("the subscription of %s could not be renewed, and is put off", customer_id)
        with transaction(session):
            collect.look_again(session, customer_id, _PUT_OFF)
    return True


def _let_others_write(session: Session) -> None:
    """Pause on SQLite, which keeps no queue: pages would wait for a lock that is free for no more than a moment."""
    if session.get_bind().dialect.name == "sqlite":
        time.sleep(_BREATH)


def _take(session: Session) -> Subscription | None:
    due = (
        select(Subscription)
        .where(Subscription.due_at <= clock.now())
        .order_by(Subscription.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)  # SQLite ignores it: there the transaction is the only writer
    )
    return session.scalars(due.execution_options(populate_existing=True)).one_or_none()


def is_due(session_factory: Callable[[], Session]) -> bool:
    """Whether anything is to be done now. A look alone takes no write lock."""
    with session_factory() as session:
        return session.scalar(select(Subscription.id).where(Subscription.due_at <= clock.now()).limit(1)) is not None


def step(session: Session, providers: Providers, sub: Subscription, *, grace_days: int) -> Next | None:
    """The one thing that is due now for this subscription, which is locked; what needs the network is answered."""
    if (sub.pays_next_by or sub.ended_at) and hand_over.is_in_flight(session, sub):
        sub.due_at = clock.now() + charge_card.LEASE
        return hand_over.GoOn(sub.customer_id)
    if sub.ended_at is not None:
        sub.due_at = None
        return None
    if sub.paid_by == "card":
        return take_over.for_card_paid(providers, sub)
    # Whenever an invoice is left open, the worker is to look again before or after the period's end, not at it.
    fresh = sub.status == "active" and sub.due_at == sub.period_end
    invoice = None if fresh else bills.open_one(session, sub)
    if invoice is not None:
        return _in_arrears(session, providers, sub, invoice, grace_days)
    if sub.period_end <= clock.now():
        return _boundary(session, providers, sub, grace_days)
    sub.due_at = sub.period_end  # nothing is to be done before
    return None


def _in_arrears(
    session: Session, providers: Providers, sub: Subscription, invoice: Invoice, grace_days: int
) -> Next | None:
    """An invoice is open: a charge nobody wrote the outcome of, a retry that is due, or the end of the grace period."""
    now = clock.now()
    retry_is_due = sub.past_due_since is None or (sub.next_attempt_at is not None and sub.next_attempt_at <= now)
    if retry_is_due or charge_card.under_way(session, invoice) is not None:
        return collect.attempt(session, providers, sub, invoice, grace_days=grace_days)
    if sub.grace_ends_at is not None and sub.grace_ends_at <= now:
        arrears.grace_is_over(session, sub, invoice)
    arrears.look_again(sub)
    return None


def _boundary(session: Session, providers: Providers, sub: Subscription, grace_days: int) -> Next | None:
    """The period is over: the end that was asked for, the card's turn, or the next period."""
    if sub.cancel_at_period_end:
        lifecycle.end(session, sub, at=sub.period_end, actor="system")
        return None
    if sub.pays_next_by == "card":
        return take_over.by_card(session, providers, sub)
    invoice = renewal.next_period(session, sub)
    if invoice.status != "open":  # there was nothing to pay
        arrears.settled(session, sub)
        return None
    return collect.attempt(session, providers, sub, invoice, grace_days=grace_days, is_new=True)
