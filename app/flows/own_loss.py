"""What a provider paid back beyond what was left of a payment: our own loss, in the books while it lasts (SPEC R2).

It happens where a refund of ours is still under way there, fails, and is made again on the provider's pages, and the
news come the other way round. Each belongs in the transaction that learnt of it, with the payment locked.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.payments import refunds, returned
from app.payments.refund_table import Refund
from app.wallet import refunds as books


def book(session: Session, refund: Refund) -> None:
    """The money is gone from the provider's, and nobody's account here gave it."""
    if refund.own_loss_minor:
        books.lose(session, refund)


def end(session: Session, refund: Refund, *, minor: int, after: str) -> None:
    """So much of it was no loss: it failed, or somebody gave it after all. What was never booked stays so."""
    if minor and books.is_lost(session, refund):
        books.lose_less(session, refund, minor=minor, after=after)


def covers(session: Session, failed: Refund) -> bool:
    """Whether what others paid back beyond the payment is as much as this one that failed."""
    return sum(part for _, part in _others(session, failed)) >= failed.net_minor


def take_over(session: Session, failed: Refund, *, of_sale: bool = False) -> int:
    """The room that it leaves is that of the others: what they paid back was due after all. How much that is.

    Belongs after the failed refund's own entry.
    """
    taken = 0
    for other, part in _others(session, failed):
        given = books.give_after_all(session, other, minor=part, after=failed.id, of_sale=of_sale)
        other.end_entry_id = other.end_entry_id or given.id  # should it fail, too, there is something to put back
        other.own_loss_minor -= part
        taken += part
    session.flush()
    return taken


def _others(session: Session, failed: Refund) -> Iterator[tuple[Refund, int]]:
    if failed.channel is None or failed.payment_id is None:
        return
    room = returned.left_to_return(session, failed.channel, failed.payment_id)
    for other in refunds.of_payment(session, failed.channel, failed.payment_id):
        part = min(other.own_loss_minor, room)
        if part > 0:
            yield other, part
            room -= part
