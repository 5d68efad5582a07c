"""Refunds for pages: by cursor, never by offset over what grows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import place
from app.errors import NotFound
from app.payments import refunds
from app.payments.refund_table import Refund

# What a filter's words mean.
STATES: Mapping[str, tuple[str, ...]] = {
    "requested": ("requested",),
    "under_way": ("reserved", "sent"),
    "paid": ("succeeded",),
    "failed": ("failed",),
    "denied": ("denied",),
}


@dataclass(frozen=True, slots=True)
class RefundPage:
    """Some refunds, newest first, and the id to ask for the older ones with; None at the end."""

    refunds: list[Refund]
    older: str | None


def page(
    session: Session, *, state: str = "", customer_id: str | None = None, before: str | None = None, limit: int = 50
) -> RefundPage:
    """Everybody's refunds; `state` is a word of STATES, "" for all. Raises NotFound for a strange `before`."""
    wanted = select(Refund)
    if state:
        wanted = wanted.where(Refund.state.in_(STATES[state]))
    if customer_id:
        wanted = wanted.where(Refund.customer_id == customer_id)
    if before is not None:
        last = refunds.find(session, before)
        if last is None:
            raise NotFound("There is no such refund.")
        wanted = wanted.where(place.beyond(Refund.created_at, Refund.id, last.created_at, last.id))
    newest_first = wanted.order_by(Refund.created_at.desc(), Refund.id.desc())
    rows = list(session.scalars(newest_first.limit(limit + 1)))
    return RefundPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def waiting(session: Session) -> int:
    """How many wait for a decision."""
    return int(session.scalar(select(func.count()).where(Refund.state == "requested")) or 0)


def by_order(session: Session, customer_id: str, order_ids: Collection[str]) -> dict[str, list[Refund]]:
    """The refunds of these orders, oldest first: one query for them all."""
    mine = select(Refund).where(Refund.customer_id == customer_id, Refund.order_id.in_(order_ids))
    return _grouped(session.scalars(mine.order_by(Refund.created_at, Refund.id)).all(), "order_id")


def of_invoice(session: Session, customer_id: str, invoice_id: str) -> list[Refund]:
    """The refunds of one invoice, oldest first."""
    mine = select(Refund).where(Refund.customer_id == customer_id, Refund.invoice_id == invoice_id)
    return list(session.scalars(mine.order_by(Refund.created_at, Refund.id)))


def _grouped(found: Sequence[Refund], name: str) -> dict[str, list[Refund]]:
    groups: dict[str, list[Refund]] = {}
    for refund in found:
        groups.setdefault(getattr(refund, name), []).append(refund)
    return groups
