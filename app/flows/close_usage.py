"""Closing usage: the worker books the days that are over, and invoices the periods that are, one customer at a time.

Run twice, by two workers, after a kill or days late, it comes to the same: what is closed is marked so in the
transaction that closes it, the wallet's entry is its hold's, and the invoice is named by the period (SPEC U3, R4).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.flows import collect_usage
from app.flows.collect import Providers
from app.metering import closing
from app.subscriptions import lifecycle

log = logging.getLogger(__name__)

_AT_ONCE = 100  # customers looked up at a time


def close_due(session_factory: Callable[[], Session], providers: Providers) -> int:
    """Book days, close periods, collect what is due; how many of all these. Never raises for one customer's."""
    return (
        settle_days(session_factory)
        + close_periods(session_factory)
        + collect_usage.collect_due(session_factory, providers)
    )


def settle_days(session_factory: Callable[[], Session]) -> int:
    """One `overage` entry for each meter and day that is over; how many were made."""
    made = 0
    with session_factory() as session:
        customers = closing.customers_with_days(session, _AT_ONCE)
        session.rollback()
        for customer_id in customers:
            try:
                with transaction(session):
                    made += closing.book_days(session, customer_id)
            except Exception:
                log.exception("the overage of %s could not be booked and will be tried again", customer_id)
    return made


def close_periods(session_factory: Callable[[], Session]) -> int:
    """Close the periods that are over, and make their invoices; how many periods."""
    closed = 0
    with session_factory() as session:
        due = closing.periods_due(session, _AT_ONCE)
        session.rollback()
        for customer_id, start in due:
            try:
                with transaction(session):
                    closed += close_period(session, customer_id, start)
            except Exception:
                log.exception("the usage of %s could not be closed and will be tried again", customer_id)
    return closed


def close_period(session: Session, customer_id: str, start: datetime) -> bool:
    """Close one period and see to its invoice's collection; whether it was still open.

    A wallet-paid subscription collects it as its own, with the same retries and the same grace. Else the invoice is
    collected by itself: the provider that runs the plan, if one does, knows nothing of it.
    """
    sub = lifecycle.live(session, customer_id, lock=True)  # locked before the number series, as everywhere
    collects = sub if sub is not None and sub.paid_by == "wallet" else None
    made = closing.close_period(session, customer_id, start, subscription_id=collects.id if collects else None)
    for invoice in made or ():
        if invoice.status != "open":
            continue
        invoice.next_attempt_at = clock.now()  # counts where, or as soon as, it is collected by itself
        if collects is not None and collects.period_end > clock.now():  # else it is due already, and is renewed first
            collects.due_at = clock.now()
    session.flush()
    return made is not None
