"""Finding customers, for staff: by name, id, or mail address of the customer or a member; newest first, by cursor."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from app.customers.models import Customer, Membership
from app.people.models import User

LONGEST = 200


@dataclass(frozen=True)
class Found:
    """One page of customers, newest first. `older` is the id to go on below; None at the end."""

    customers: list[Customer]
    older: str | None


def search(session: Session, text: str = "", *, before: str | None = None, limit: int = 25) -> Found:
    """Customers that match `text` anywhere in a name or address, or exactly as an id. Empty text finds everyone."""
    wanted = _matching(text.strip()[:LONGEST])
    if before:
        wanted = wanted.where(Customer.id < before)
    # Ids sort by time of making, so the primary key is the order: no other index, and no row is skipped or repeated.
    found = list(session.scalars(wanted.order_by(Customer.id.desc()).limit(limit + 1)))
    return Found(found[:limit], found[limit - 1].id if len(found) > limit else None)


def count(session: Session) -> int:
    """How many customers there are in all."""
    return session.scalar(select(func.count()).select_from(Customer)) or 0


def names(session: Session, customer_ids: list[str]) -> dict[str, str]:
    """Id to name, for lists that mention customers."""
    rows = session.execute(select(Customer.id, Customer.name).where(Customer.id.in_(customer_ids)))
    return {row.id: row.name for row in rows}


def _matching(text: str) -> Select[Customer]:
    if not text:
        return select(Customer)
    text = text.replace("\0", "")
    member = exists().where(
        Membership.customer_id == Customer.id,
        Membership.user_id == User.id,
        or_(User.email.icontains(text, autoescape=True), User.name.icontains(text, autoescape=True)),
    )
    return select(Customer).where(
        or_(
            Customer.id == text,
            Customer.external_id == text,
            Customer.name.icontains(text, autoescape=True),
            Customer.email.icontains(text, autoescape=True),
            member,
        )
    )
