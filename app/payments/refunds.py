"""Refunds as rows: making one once, bringing it forward. What moves money is in `app.flows.refund` (SPEC W4, R4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.errors import Conflict, Forbidden, IdempotencyKeyReused, Invalid, NotFound, Refusal
from app.payments.refund_table import STATES, TAKEN, Refund

LEASE = timedelta(minutes=2)  # for the network; afterwards a worker asks again, under the same key
_LONGEST_WAIT = timedelta(hours=6)
_LONGEST_KEY = 300
_SAME = ("kind", "payment_id", "invoice_id", "parent_id")  # what the same key must ask for again


class NotRefundable(Refusal):
    """This is nothing that goes back by itself: not a top-up, or not paid. Details: type."""

    code = "NOT_REFUNDABLE"


class WindowClosed(Forbidden):
    """A top-up is refunded within seven days; later staff are asked. Details: until."""

    code = "REFUND_WINDOW_CLOSED"


class NothingToRefund(Conflict):
    """What was paid is spent, held, or has gone back already. Details: refundable_minor."""

    code = "NOTHING_TO_REFUND"


class MoreThanRefundable(Invalid):
    """Less than that can go back. Details: refundable_minor."""

    code = "MORE_THAN_REFUNDABLE"


class PaymentDisputed(Conflict):
    """The payment is disputed with the bank, which settles it: nothing else goes back of it meanwhile."""

    code = "PAYMENT_DISPUTED"


def make(
    session: Session,
    *,
    customer_id: str,
    key: str,
    kind: str,
    state: str,
    net_minor: int,
    tax_minor: int,
    currency: str,
    reason: str,
    requested_by: str,
    **more: Any,
) -> tuple[Refund, bool]:
    """The refund of this key, and whether it was made now. Raises IdempotencyKeyReused if it was for another thing."""
    if before := of_key(session, customer_id, key):
        return same(before, kind=kind, **more), False
    now = clock.now()
    row: dict[str, Any] = {
        "customer_id": customer_id,
        "id": ids.new("ref"),
        "kind": kind,
        "state": state,
        "net_minor": net_minor,
        "tax_minor": tax_minor,
        "amount_minor": net_minor + tax_minor,
        "own_loss_minor": 0,
        "currency": currency,
        "reason": reason,
        "requested_by": requested_by,
        "key": _checked(key),
        "attempt": 0,
        "next_try_at": now + LEASE if state == "reserved" else None,
        "created_at": now,
        "updated_at": now,
        **more,
    }
    once = insert(Refund).values(row).on_conflict_do_nothing(index_elements=["customer_id", "key"])
    is_new = session.scalar(once.returning(Refund.id)) is not None
    found = of_key(session, customer_id, key)
    assert found is not None, "it was just written"
    if not is_new:
        return same(found, kind=kind, **more), False
    facts = {"kind": kind, "amount_minor": found.amount_minor, "currency": currency, "reason": reason}
    activity.record(session, requested_by, f"refund.{state}", found.id, customer_id=customer_id, **facts)
    return found, True


def same(before: Refund, **asked: Any) -> Refund:
    """The refund made before, if it is the one that is asked for now. Raises IdempotencyKeyReused."""
    if any(getattr(before, name) != asked[name] for name in _SAME if name in asked):
        raise IdempotencyKeyReused("This was already sent for another refund. Open the page again.")
    return before


def of_key(session: Session, customer_id: str, key: str) -> Refund | None:
    """What this key made before."""
    mine = select(Refund).where(Refund.customer_id == customer_id, Refund.key == key)
    return session.scalars(mine.execution_options(populate_existing=True)).one_or_none()


def one(session: Session, customer_id: str, refund_id: str, *, lock: bool = False) -> Refund:
    """One refund of this customer. Raises NotFound, the same for another customer's."""
    found = find(session, refund_id, lock=lock)
    if found is None or found.customer_id != customer_id:
        raise NotFound("There is no such refund.")
    return found


def find(session: Session, refund_id: str, *, lock: bool = False) -> Refund | None:
    """A refund by its id alone, as providers and staff name it."""
    return _one(session, Refund.id == refund_id, lock=lock)


def by_provider_id(session: Session, channel: str, provider_refund_id: str, *, lock: bool = False) -> Refund | None:
    """A refund by what its provider calls it."""
    return _one(session, Refund.channel == channel, Refund.provider_refund_id == provider_refund_id, lock=lock)


def of_payment(session: Session, channel: str, payment_id: str, *, lock: bool = True) -> list[Refund]:
    """Every refund of a payment whose money is gone or going, oldest first, locked unless they are only looked at."""
    its = (Refund.channel == channel, Refund.payment_id == payment_id, Refund.state.in_(TAKEN))
    query = select(Refund).where(*its).order_by(Refund.created_at, Refund.id)
    query = query.execution_options(populate_existing=True)
    return list(session.scalars(query.with_for_update() if lock else query))


def ids_of(session: Session, channel: str, payment_id: str) -> list[str]:
    """The names of all of them, those that failed too, oldest first."""
    its = select(Refund.id).where(Refund.channel == channel, Refund.payment_id == payment_id)
    return list(session.scalars(its.order_by(Refund.created_at, Refund.id)))


def told_minor(session: Session, channel: str, payment_id: str, *, but: str) -> int:
    """What this payment gave back by refunds the provider knows of, tax included, without the one named `but`."""
    its = (Refund.channel == channel, Refund.payment_id == payment_id, Refund.state.in_(("sent", "succeeded")))
    return int(
        session.scalar(select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(*its, Refund.id != but)) or 0
    )


def is_another_unanswered(session: Session, refund: Refund) -> bool:
    """Whether its payment's provider was asked for another refund and nobody knows yet what came of that."""
    its = (Refund.channel == refund.channel, Refund.payment_id == refund.payment_id, Refund.state == "reserved")
    asked = select(Refund.id).where(*its, Refund.attempt > 0, Refund.id != refund.id)
    return session.scalar(asked.limit(1)) is not None


def _one(session: Session, *which: Any, lock: bool) -> Refund | None:
    query = select(Refund).where(*which).execution_options(populate_existing=True)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def move(session: Session, refund: Refund, state: str, *, actor: str = "system", why: str | None = None) -> bool:
    """Bring it forward to `state`, never backwards; whether anything changed. Needs the row locked.

    `why` it was denied or failed is a sentence for the customer.
    """
    if STATES.index(state) <= STATES.index(refund.state):
        return False
    refund.state, refund.updated_at = state, clock.now()
    refund.failure = why
    if refund.is_final:
        refund.ended_at, refund.next_try_at = refund.updated_at, None
    session.flush()
    told = {"why": why} if why else {}
    activity.record(session, actor, f"refund.{state}", refund.id, customer_id=refund.customer_id, **told)
    return True


def decide(refund: Refund, actor: str) -> None:
    """Staff decided about it, now."""
    refund.decided_by, refund.decided_at = actor, clock.now()


def later(session: Session, refund: Refund) -> None:
    """Nobody knows whether it was done: ask again, each time after twice the wait."""
    refund.next_try_at = clock.now() + min(LEASE * 2 ** min(refund.attempt, 10), _LONGEST_WAIT)
    session.flush()


def due(session: Session, limit: int) -> list[Refund]:
    """Those a worker is to go on with, locked and put off, so that a second worker leaves them alone."""
    now = clock.now()
    waiting = select(Refund).where(Refund.next_try_at <= now, Refund.state.in_(("reserved", "sent")))
    chosen = list(session.scalars(waiting.order_by(Refund.next_try_at).limit(limit).with_for_update(skip_locked=True)))
    for refund in chosen:
        refund.next_try_at = now + LEASE
    session.flush()
    return chosen


def _checked(key: str) -> str:
    if not 1 <= len(key) <= _LONGEST_KEY or not key.isprintable():
        raise Invalid("This form is incomplete. Open the page again.", field="form_key")
    return key
