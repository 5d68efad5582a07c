"""What of a period's overage lands on an invoice: the rest was taken from the wallet. Of one period it may be both."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.metering.models import UsageOverage


def micros(session: Session, customer_id: str, period_start: datetime) -> int:
    """The sum over all meters, in micros, before each line of the invoice is rounded. One SELECT."""
    o = UsageOverage
    mine = (o.customer_id == customer_id, o.period_start == period_start, o.mode == "invoice")
    return int(session.scalar(select(func.coalesce(func.sum(o.micros), 0)).where(*mine)) or 0)
