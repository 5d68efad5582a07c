"""Which grants a movement takes from or gives back to, under the lock of the customer's credits account.

Lower priority first, then the earliest end (never is last), then what was given before what was paid for, then the
older. What was done is written down per grant, and a return goes back to the grants it was taken from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import ledger
from app.credits.accounts import credits_of
from app.credits.models import CreditAllocation, CreditDay, CreditGrant

Shares = Mapping[CreditGrant, int]  # what changes in each grant: above zero is added, below is taken


def open_grants(session: Session, customer_id: str) -> list[CreditGrant]:
    """The grants with something left, in the order in which they are spent. Needs the account locked."""
    mine = select(CreditGrant).where(CreditGrant.customer_id == customer_id, CreditGrant.remaining > 0)
    order = (
        CreditGrant.priority,
        CreditGrant.expires_at.is_(None),
        CreditGrant.expires_at,
        CreditGrant.is_paid,
        CreditGrant.created_at,
        CreditGrant.id,
    )
    return list(session.scalars(mine.order_by(*order).execution_options(populate_existing=True)))


def shares_of(grants: Iterable[CreditGrant], amount: int) -> dict[CreditGrant, int]:
    """What taking `amount` takes from each of these grants, in their order. They must have that much."""
    shares: dict[CreditGrant, int] = {}
    for grant in grants:
        part = min(amount, grant.remaining)
        if part:
            shares[grant] = -part
            amount -= part
    assert amount == 0, "the ledger has more credits than the grants"
    return shares


def write(session: Session, entry: ledger.Entry, shares: Shares, *, day_kind: str | None = None) -> None:
    """Write down what a new entry did to each grant, and count it in its day."""
    amount = entry.leg(credits_of(entry.customer_id)).amount
    assert sum(shares.values()) == amount, "an entry and its shares differ"
    for position, (grant, part) in enumerate(shares.items()):
        grant.remaining += part
        session.add(
            CreditAllocation(
                customer_id=entry.customer_id,
                entry_id=entry.id,
                grant_id=grant.id,
                amount=part,
                kind=entry.kind,
                position=position,
                at=entry.recorded_at,
            )
        )
    _count(session, entry.customer_id, day_of(entry.recorded_at), day_kind or entry.kind, amount)
    session.flush()


def day_of(instant: datetime) -> str:
    """The UTC day an instant is counted in."""
    return instant.date().isoformat()


def _count(session: Session, customer_id: str, day: str, kind: str, amount: int) -> None:
    first = insert(CreditDay).values(customer_id=customer_id, day=day, kind=kind, entries=1, amount=amount)
    session.execute(
        first.on_conflict_do_update(
            index_elements=["customer_id", "day", "kind"],
            set_={"entries": CreditDay.entries + 1, "amount": CreditDay.amount + first.excluded.amount},
        )
    )
