"""Deciding about an adjustment that waits: another person approves or denies it, who asked may withdraw it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, clock
from app.adjustments import colleagues
from app.adjustments.ask import CREDITS, Wish, post
from app.adjustments.models import Adjustment
from app.errors import Conflict, Forbidden, NotFound
from app.wallet import words


class OwnAdjustment(Forbidden):
    """Nobody agrees to what they asked for themselves: that is what the second person is for."""

    code = "SECOND_PERSON_REQUIRED"


class AlreadyDecided(Conflict):
    """Somebody was quicker. Details: state."""

    code = "ALREADY_DECIDED"


def approve(session: Session, adjustment_id: str, *, by: str, person: str) -> Adjustment:
    """Make it, once, however many approve at once. `by` is as the audit log names them, `person` their user.

    Raises NotFound, OwnAdjustment, AlreadyDecided, and InsufficientFunds when it cannot be taken any more: then it
    goes on waiting.
    """
    row = _waiting(session, adjustment_id)
    if _is_theirs(row, by, person):
        raise OwnAdjustment("You asked for this adjustment yourself. Another member of staff has to approve it.")
    wish = Wish(row.customer_id, row.asset, row.amount, row.reason, row.key, row.ticket, row.expires_at)
    entry = post(session, wish, row.asked_by)
    row.entry_id = entry.id
    _decided(session, row, "made", by)
    colleagues.tell_decided(session, row)
    return row


def deny(session: Session, adjustment_id: str, *, by: str, person: str, reason: str) -> Adjustment:
    """Nothing moves, for a reason that the asker reads. Raises as `approve`, and Invalid for the reason."""
    why = words.reason(reason)
    row = _waiting(session, adjustment_id)
    if _is_theirs(row, by, person):
        raise OwnAdjustment("You asked for this adjustment yourself. Withdraw it instead.")
    row.decision = why
    _decided(session, row, "denied", by)
    colleagues.tell_decided(session, row)
    return row


def withdraw(session: Session, adjustment_id: str, *, by: str, person: str) -> Adjustment:
    """Who asked does not want it any more. Raises NotFound, AlreadyDecided, and Forbidden for anybody else."""
    row = _waiting(session, adjustment_id)
    if not _is_theirs(row, by, person):
        raise Forbidden("Only who asked for an adjustment can withdraw it. Turn it down instead.")
    _decided(session, row, "withdrawn", by)
    return row


def is_theirs(row: Adjustment, person: str) -> bool:
    """Whether this user asked for it, in a browser or by a key they made."""
    return row.person == person


def _is_theirs(row: Adjustment, by: str, person: str) -> bool:
    return row.asked_by == by or is_theirs(row, person)


def _waiting(session: Session, adjustment_id: str) -> Adjustment:
    """The row, locked until the transaction ends: of two who decide at once, the second one sees what the first did."""
    found = select(Adjustment).where(Adjustment.id == adjustment_id).with_for_update()
    row = session.scalar(found.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("There is no such adjustment.")
    if row.state != "waiting":
        raise AlreadyDecided(f"This adjustment was {_PAST[row.state]} already.", state=row.state)
    return row


_PAST = {"made": "approved", "denied": "turned down", "withdrawn": "withdrawn"}


def _decided(session: Session, row: Adjustment, state: str, by: str) -> None:
    row.state, row.decided_by, row.decided_at = state, by, clock.now()
    session.flush()
    action = "approved" if state == "made" else state
    told: dict[str, object] = {"amount": row.amount} if row.asset == CREDITS else {"amount_micros": row.amount}
    if row.decision:
        told["why"] = row.decision
    if row.entry_id:
        told["entry"] = row.entry_id
    activity.record(session, by, f"adjustment.{action}", row.id, customer_id=row.customer_id, asset=row.asset, **told)
