"""What has gone back of a payment: by refunds, by disputes. No cent of it goes back twice (SPEC W4, W5)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.payments.models import Payment
from app.payments.refund_table import TAKEN, Refund


@dataclass(frozen=True, slots=True)
class Returned:
    """What went back, or is on its way, in minor units before tax: as much as the wallet was credited with."""

    refunded: int = 0
    disputed: int = 0

    @property
    def total(self) -> int:
        return self.refunded + self.disputed


def locked(session: Session, channel: str, payment_id: str) -> Payment | None:
    """The payment, locked until the commit; None for one that is not known (yet).

    Whoever gives money back locks in this order: the order, the payments (by their id), the wallet.
    """
    mine = select(Payment).where(Payment.channel == channel, Payment.payment_id == payment_id)
    return session.scalars(mine.with_for_update().execution_options(populate_existing=True)).one_or_none()


def returned_minor(session: Session, channel: str, payment_id: str) -> Returned:
    """What has gone back of this payment so far."""
    return Returned(refunded=_refunded(session, channel, payment_id))


def left_to_return(session: Session, channel: str, payment_id: str) -> int:
    """What of this payment can still go back, in minor units before tax; 0 for one that is not known.

    Locks the payment, so that nobody else can give back the same cent before the commit.
    """
    payment = locked(session, channel, payment_id)
    if payment is None:
        return 0
    return max(0, payment.net_minor - returned_minor(session, channel, payment_id).total)


def _refunded(session: Session, channel: str, payment_id: str) -> int:
    of_it = (Refund.channel == channel, Refund.payment_id == payment_id, Refund.state.in_(TAKEN))
    taken = func.coalesce(func.sum(Refund.net_minor - Refund.own_loss_minor), 0)
    return int(session.scalar(select(taken).where(*of_it)) or 0)
