"""What customers are called, for lists that mention them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.customers.models import Customer


def names(session: Session, customer_ids: list[str]) -> dict[str, str]:
    """Id to name, for lists that mention customers."""
    rows = session.execute(select(Customer.id, Customer.name).where(Customer.id.in_(customer_ids)))
    return {row.id: row.name for row in rows}
