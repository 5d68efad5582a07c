"""A subscription in the tables, without anybody who pays for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from app import clock
from app.catalogue import reads
from app.catalogue.terms import PlanTerms
from app.customers.models import Customer
from app.db import transaction
from app.money import Money
from app.subscriptions import lifecycle
from app.subscriptions.models import Subscription
from app.subscriptions.periods import Anchor, Interval


@pytest.fixture
def terms(session: Session, plans: None) -> Callable[[str], PlanTerms]:
    """A plan on offer, by its key."""

    def find(key: str) -> PlanTerms:
        with transaction(session):
            return next(plan for plan in reads.offered_plans(session) if plan.key == key)

    return find


@pytest.fixture
def begun(session: Session, payer: Customer, terms: Callable[[str], PlanTerms]) -> Callable[..., Subscription]:
    """Begins a subscription of `payer`, paid by card at a provider unless told otherwise."""

    def begin(
        plan: str = "starter", interval: str = "month", *, at: datetime | None = None, **how: Any
    ) -> Subscription:
        bought, every = terms(plan), Interval(interval)
        anchor = Anchor((at or clock.now()).replace(microsecond=0), ZoneInfo("UTC"))
        minor = bought.monthly_minor if every is Interval.MONTH else bought.yearly_minor
        assert minor is not None
        by = {"paid_by": "card", "channel": "stripe", "provider_id": "sub_1", "actor": "stripe", **how}
        with transaction(session):
            return lifecycle.begin(
                session,
                customer_id=payer.id,
                plan_id=bought.id,
                version=bought.version,
                interval=every,
                price=Money(minor, bought.currency),
                anchor=anchor,
                period=anchor.period_at(max(clock.now(), anchor.at + timedelta(0)), every),
                **by,
            )

    return begin
