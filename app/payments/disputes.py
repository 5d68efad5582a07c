"""Disputes as providers tell of them: kept once, and only ever moved forward (SPEC W5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock, ids, place
from app.errors import NotFound
from app.payments.dispute_table import EVIDENCE, PHASES, TAKEN, Dispute
from app.providers.events import DisputeChanged

_CLOSED = ("closed_inquiry", "lost", "prevented", "won")
# What moves the money means the same as the state that it belongs to, and may be told before or without it.
_MEANS = {"funds_withdrawn": "open", "funds_reinstated": "won"}


@dataclass(frozen=True, slots=True)
class Paid:
    """The payment a dispute is about, and what it was for. Amounts in minor units of `currency`."""

    customer_id: str
    paid_for: str
    net_minor: int
    tax_minor: int
    currency: str
    order_id: str | None = None
    invoice_id: str | None = None

    def of_wallet(self, disputed_minor: int) -> int:
        """What a wallet was credited with for so much of this payment: without its share of the tax."""
        gross = self.net_minor + self.tax_minor
        covered = min(disputed_minor, gross)
        return covered - (2 * covered * self.tax_minor + gross) // (2 * gross)


def keep(session: Session, told: DisputeChanged, paid: Paid) -> Dispute:
    """The row of this dispute, locked until the commit: made now, or when it was told of first."""
    row = {
        "customer_id": paid.customer_id,
        "id": ids.new("dsp"),
        "channel": told.provider,
        "provider_dispute_id": told.dispute_id,
        "payment_id": told.payment_id,
        "paid_for": paid.paid_for,
        "order_id": paid.order_id,
        "invoice_id": paid.invoice_id,
        "amount_minor": told.amount.minor,
        "currency": told.amount.currency,
        "reversed_minor": 0,
        "own_loss_minor": 0,
        "fee_minor": 0,
        "revoked_credits": 0,
        "phase": "inquiry",
        "evidence": "none",
        "freezes": False,
        "told_as": "",
        "opened_at": told.occurred_at,
        "updated_at": clock.now(),
    }
    unique = ["channel", "provider_dispute_id"]
    session.execute(insert(Dispute).values(row).on_conflict_do_nothing(index_elements=unique))
    mine = (Dispute.channel == told.provider, Dispute.provider_dispute_id == told.dispute_id)
    found = select(Dispute).where(*mine).with_for_update().execution_options(populate_existing=True)
    return session.scalars(found).one()


def move(session: Session, dispute: Dispute, told: DisputeChanged) -> bool:
    """Bring it forward to what is told, never backwards; whether anything is new. Needs the row locked."""
    before = _facts(dispute)
    phase = _MEANS.get(told.phase, told.phase)
    if PHASES.index(phase) > PHASES.index(dispute.phase):
        dispute.phase = phase
        dispute.closed_at = told.occurred_at if phase in _CLOSED else None
    dispute.opened_at = min(dispute.opened_at, told.occurred_at)
    # Providers tell times in seconds: of two tellings of one second the one that is further on is the newer.
    newness = f"{told.occurred_at.isoformat()} {PHASES.index(phase)}{EVIDENCE.index(told.evidence)} {told.event_id}"
    if newness > dispute.told_as:
        dispute.told_as = newness
        dispute.reason, dispute.due_by = told.reason, told.due_by
        dispute.fee_minor, dispute.evidence = told.fee, told.evidence
    if _facts(dispute) == before:
        return False
    dispute.updated_at = clock.now()
    session.flush()
    return True


def freezing(session: Session, customer_id: str, *, lock: bool = False) -> list[Dispute]:
    """The disputes that keep this customer's wallet frozen, oldest first."""
    mine = select(Dispute).where(Dispute.customer_id == customer_id, Dispute.freezes)
    mine = mine.order_by(Dispute.opened_at, Dispute.id)
    if lock:
        mine = mine.with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(mine))


def one(session: Session, dispute_id: str, *, lock: bool = False) -> Dispute:
    """For staff. Raises NotFound."""
    mine = select(Dispute).where(Dispute.id == dispute_id)
    if lock:
        mine = mine.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(mine).one_or_none()
    if found is None:
        raise NotFound("There is no such dispute.", dispute_id=dispute_id)
    return found


def of_payment(session: Session, channel: str, payment_id: str) -> list[Dispute]:
    """Every dispute of one payment, oldest first."""
    mine = select(Dispute).where(Dispute.channel == channel, Dispute.payment_id == payment_id)
    return list(session.scalars(mine.order_by(Dispute.opened_at, Dispute.id)))


def taken_back(session: Session, customer_id: str) -> dict[str, str]:
    """What the bank has taken back of a customer's: names of payments, orders and invoices to "open" or "lost"."""
    mine = select(Dispute.payment_id, Dispute.order_id, Dispute.invoice_id, Dispute.phase).where(
        Dispute.customer_id == customer_id, Dispute.phase.in_(TAKEN)
    )
    return {name: phase for *names, phase in session.execute(mine) for name in names if name}


def is_disputed(session: Session, channel: str, payment_id: str) -> bool:
    """Whether the bank has this payment, or asks about it: nothing else is given back of it meanwhile."""
    return any(dispute.is_taken or dispute.is_live for dispute in of_payment(session, channel, payment_id))


def page(
    session: Session, *, phases: Sequence[str] = (), before: Dispute | None = None, limit: int = 25
) -> list[Dispute]:
    """For staff: disputes in these phases (all, where none is named), newest first, older than `before`."""
    wanted = select(Dispute)
    if phases:
        wanted = wanted.where(Dispute.phase.in_(phases))
    if before is not None:
        wanted = wanted.where(place.beyond(Dispute.opened_at, Dispute.id, before.opened_at, before.id))
    return list(session.scalars(wanted.order_by(Dispute.opened_at.desc(), Dispute.id.desc()).limit(limit)))


def due(session: Session) -> tuple[int, int, datetime | None]:
    """For staff: how many are open, how many wallets are frozen, and the next deadline of an open case."""
    open_ones = func.count(case((Dispute.phase == "open", 1)))
    frozen = func.count(func.distinct(case((Dispute.freezes, Dispute.customer_id))))
    next_due = func.min(case((Dispute.phase.in_(("inquiry", "open")), Dispute.due_by)))
    count, wallets, soonest = session.execute(select(open_ones, frozen, next_due)).one()
    return count, wallets, soonest


def _facts(dispute: Dispute) -> tuple[Any, ...]:
    told = (dispute.reason, dispute.due_by, dispute.evidence, dispute.opened_at)
    return dispute.phase, dispute.fee_minor, *told
