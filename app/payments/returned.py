"""What has gone back of a payment: by refunds, by disputes. No cent of it goes back twice (SPEC W4, W5)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import case, func, select, tuple_
from sqlalchemy.orm import Session

from app.payments import dispute_table
from app.payments.dispute_table import Dispute
from app.payments.models import Payment
from app.payments.refund_table import TAKEN, Refund

Name = tuple[str, str]  # a payment's: the channel, and what the provider calls it


@dataclass(frozen=True, slots=True)
class Returned:
    """What went back, or is on its way, in minor units before tax: as much as the wallet was credited with."""

    refunded: int = 0
    disputed: int = 0

    @property
    def total(self) -> int:
        return self.refunded + self.disputed


def find(session: Session, channel: str, payment_id: str) -> Payment | None:
    """The payment as a provider names it; None for one that is not known (yet)."""
    return session.get(Payment, (channel, payment_id))


def locked(session: Session, channel: str, payment_id: str) -> Payment | None:
    """The same, locked until the commit.

    Whoever gives money back locks in this order: the order, the payments (by their id), the wallet.
    """
    mine = select(Payment).where(Payment.channel == channel, Payment.payment_id == payment_id)
    return session.scalars(mine.with_for_update().execution_options(populate_existing=True)).one_or_none()


def returned_minor(session: Session, channel: str, payment_id: str) -> Returned:
    """What has gone back of this payment so far."""
    return returned_of(session, [(channel, payment_id)])[channel, payment_id]


def returned_of(session: Session, payments: Collection[Name]) -> dict[Name, Returned]:
    """The same for many payments at once."""
    refunded, disputed = _refunded(session, payments), _disputed(session, payments)
    return {name: Returned(refunded.get(name, 0), disputed.get(name, 0)) for name in payments}


def left_to_return(session: Session, channel: str, payment_id: str) -> int:
    """What of this payment can still go back, in minor units before tax; 0 for one that is not known.

    Locks the payment, so that nobody else can give back the same cent before the commit.
    """
    payment = locked(session, channel, payment_id)
    if payment is None:
        return 0
    return max(0, payment.net_minor - returned_minor(session, channel, payment_id).total)


def _refunded(session: Session, payments: Collection[Name]) -> dict[Name, int]:
    # What pays an invoice pays its tax, too, and is kept as one sum.
    whole = case((Refund.kind == "invoice", Refund.amount_minor), else_=Refund.net_minor)
    taken = func.sum(whole - Refund.own_loss_minor)
    of_them = tuple_(Refund.channel, Refund.payment_id).in_(list(payments)), Refund.state.in_(TAKEN)
    rows = session.execute(
        select(Refund.channel, Refund.payment_id, taken).where(*of_them).group_by(Refund.channel, Refund.payment_id)
    )
    return {(str(channel), str(payment_id)): int(minor) for channel, payment_id, minor in rows}


def _disputed(session: Session, payments: Collection[Name]) -> dict[Name, int]:
    if not payments:
        return {}
    rows = session.execute(
        select(Dispute.channel, Dispute.payment_id, func.sum(Dispute.reversed_minor))
        .where(tuple_(Dispute.channel, Dispute.payment_id).in_(list(payments)))
        .where(Dispute.phase.in_(dispute_table.TAKEN))
        .group_by(Dispute.channel, Dispute.payment_id)
    )
    return {(channel, payment): int(taken) for channel, payment, taken in rows}
