"""Spend caps: the most a customer lets overage cost in one period, all meters together (SPEC U4)."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity
from app.errors import Invalid
from app.metering.models import UsagePeriod, UsageSettings
from app.subscriptions.standing import Standing

LARGEST_MICROS = 10**12  # a million dollars


def spend_cap(session: Session, customer_id: str) -> int | None:
    """The cap in micros; None where there is none."""
    mine = select(UsageSettings.spend_cap_micros).where(UsageSettings.customer_id == customer_id)
    return session.scalar(mine)


def set_spend_cap(session: Session, customer_id: str, micros: int | None, *, actor: str) -> None:
    """Cap it from now on, or (None) no longer. What is over the cap already stays. Raises Invalid, field "cap"."""
    if micros is not None and not 0 <= micros <= LARGEST_MICROS:
        raise Invalid("Enter an amount from 0 to 1,000,000.00.", field="cap")
    before = spend_cap(session, customer_id)
    row = insert(UsageSettings).values(customer_id=customer_id, spend_cap_micros=micros)
    session.execute(row.on_conflict_do_update(index_elements=["customer_id"], set_={"spend_cap_micros": micros}))
    told = {"before_micros": before, "cap_micros": micros}
    activity.record(session, actor, "usage.cap_set", customer_id, customer_id=customer_id, **told)


def spent(session: Session, standing: Standing) -> int:
    """What overage has cost in this period, in micros, all meters together: what the cap is compared with."""
    this = (UsagePeriod.customer_id == standing.customer_id, UsagePeriod.period_start == standing.period.start)
    return int(session.scalar(select(func.coalesce(func.sum(UsagePeriod.over_micros), 0)).where(*this)) or 0)
