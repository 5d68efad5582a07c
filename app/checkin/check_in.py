"""Checking in: once for each of a customer's days, however often and from wherever it is asked (SPEC C5)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, credits
from app.checkin import allowed, situation
from app.checkin.models import CheckIn
from app.checkin.situation import Situation
from app.clock import timestamp
from app.errors import Conflict, Forbidden


class CheckInOff(Conflict):
    """Staff have switched the daily check-in off."""

    code = "CHECK_IN_OFF"


class CheckInNotAllowed(Forbidden):
    """A condition for checking in is not met; the sentence says which. Details: needs."""

    code = "CHECK_IN_NOT_ALLOWED"


class AlreadyCheckedIn(Conflict):
    """This stretch of time has had its check-in. Details: next_at, when the next is possible; date and streak."""

    code = "ALREADY_CHECKED_IN"


def check_in(session: Session, customer_id: str, *, actor: str) -> CheckIn:
    """Check in for the customer's day, and give the day's credits.

    The day is counted in the customer's zone of this moment, and shares no moment with the last one that was checked
    in, in whatever zone that was: a change of zone brings nobody a day. Raises CheckInOff, AlreadyCheckedIn,
    CheckInNotAllowed, NotFound.
    """
    now = situation.of(session, customer_id, lock=True)
    _refuse(session, now)
    award, date = now.award, now.day.date
    granted = _give(session, now, actor=actor) if award.amount else None
    row = {
        "customer_id": customer_id,
        "local_date": date,
        "zone": now.day.zone,
        "ends_at": now.day.ends_at,
        "checked_at": now.now,
        "streak": now.next_streak,
        "streak_began": now.last.streak_began if now.last and now.streak else date,
        "amount": award.amount,
        "bonus": award.bonus,
        "entry_id": granted.entry_id if granted else None,
    }
    made = session.scalars(insert(CheckIn).values(row).on_conflict_do_nothing().returning(CheckIn)).one_or_none()
    if made is None:  # the lock keeps others out; this is what the table itself promises
        raise _already(situation.of(session, customer_id))
    told = {"date": date.isoformat(), "time_zone": now.day.zone, "streak": made.streak, "amount": made.amount}
    activity.record(session, actor, "check_in.done", made.entry_id or customer_id, customer_id=customer_id, **told)
    return made


def _refuse(session: Session, now: Situation) -> None:
    """Raises the first refusal there is: off, done already, not allowed."""
    if now.terms is None:
        raise CheckInOff("The daily check-in is switched off.")
    if now.is_done:
        raise _already(now)
    reason = allowed.reason_against(session, now.customer.id, now.terms.who)
    if reason:
        raise CheckInNotAllowed(reason, needs=now.terms.who)


def _already(now: Situation) -> AlreadyCheckedIn:
    assert now.last is not None, "somebody checked in"
    free = now.turn.starts_at
    return AlreadyCheckedIn(
        f"You have checked in already. The next check-in is possible from {free.day} {free:%B %Y, %H:%M} UTC.",
        next_at=timestamp(free),
        date=now.last.local_date.isoformat(),
        streak=now.last.streak,
    )


def _give(session: Session, now: Situation, *, actor: str) -> credits.Grant:
    assert now.terms is not None, "refused before"
    lasts = now.terms.expires_days
    return credits.grant(
        session,
        now.customer.id,
        now.award.amount,
        source="checkin",
        key=f"checkin:{now.day.date.isoformat()}",
        expires_at=None if lasts is None else now.now + timedelta(days=lasts),
        data={
            "description": f"Check-in, day {now.next_streak}",
            "date": now.day.date.isoformat(),
            "streak": now.next_streak,
            "bonus": now.award.bonus,
        },
        actor=actor,
    )
