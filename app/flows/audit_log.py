"""The audit log's chain: sealing what was written, and checking the whole of it a stretch at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app import activity
from app.activity import chain, checking
from app.activity.checking import Checked
from app.db import transaction

SUBJECT = "audit log"


def seal_new(session: Session) -> int:
    """Seal the lines of the last minutes that have no seal yet; how many batches. No write without one."""
    return _seal_from(session, chain.recent(session), most=1)


def seal_all(session: Session) -> int:
    """Seal every line that has no seal, also one whose transaction ended hours after the others."""
    return _seal_from(session, "")


def verify(session: Session, *, real_time: bool, by: str, kept: tuple[int, str] | None = None) -> Checked:
    """Seal what is left, check every seal and line, and keep what was found. Faults that are new go into the log.

    `real_time`: this clock is never moved. `kept`: number and hash of a head that somebody kept elsewhere.
    """
    seal_all(session)
    checked, more = Checked(), True
    while more:
        more = checking.step(session, checked, real_time=real_time, kept=kept)
        session.rollback()  # a long log must not hold one read transaction open
    checking.end(checked, kept)
    with transaction(session):
        before = checking.last(session)
        known = (before.faults, before.fault_count) if before else ([], 0)
        if checked.faults and known != (checked.faults, checked.fault_count):
            told: dict[str, Any] = {"faults": checked.faults, "fault_count": checked.fault_count}
            activity.record(session, by, "audit.broken", SUBJECT, **told)
        checking.keep(session, checked, by=by)
    return checked


def newest(session: Session, count: int = 200) -> Checked:
    """Check the newest seals and their lines alone, quickly enough for a page."""
    number, _ = chain.head(session)
    checked = Checked()
    if number > count:
        checked = Checked(sealed=number - count, head=checking.hash_of(session, number - count))
    checking.step(session, checked, real_time=False)
    return checked


def _seal_from(session: Session, after: str, most: int = 1_000_000) -> int:
    done = 0
    while done < most:
        if not chain.waits(session, after=after):
            session.rollback()
            break
        with transaction(session):
            last = chain.seal(session, after=after)
        after, done = last or after, done + 1
    return done
