"""Keeping the books in order: the daily sums that make big books quick to read, and the audit of what is new."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy.orm import Session

from app import activity, ledger
from app.db import transaction
from app.flows import audit_books

log = logging.getLogger(__name__)

_FAULTS_LOGGED = 5
_MOST_FAULTS = 200  # kept with one audit, as with one that staff run


def roll_up(session_factory: Callable[[], Session]) -> int:
    """Add the newest legs to the daily sums, and to the blocks of the house's accounts; how many were added."""
    with session_factory() as session:
        with transaction(session):
            summed = ledger.roll_up(session)
        with transaction(session):
            return max(summed, ledger.count_blocks(session))


def audit(session_factory: Callable[[], Session]) -> int:
    """Audit what was written since the last time, and tell staff when the books are wrong: once for the same faults."""
    with session_factory() as session, transaction(session):
        found = audit_books.audit(session)
        if found.faults:
            log.critical("the books are wrong: %s", " ".join(found.faults[:_FAULTS_LOGGED]))
            _tell(session, found)
    return 0  # whatever it found, there is nothing more to do at once


def _tell(session: Session, found: ledger.Audit) -> None:
    faults, count = found.faults[:_MOST_FAULTS], len(found.faults)
    for last in activity.of_everyone(session, action="books.", limit=1).lines:
        if (last.details.get("faults"), last.details.get("fault_count")) == (faults, count):
            return
    activity.record(session, "system", "books.wrong", "books", faults=faults, fault_count=count, checked=found.checked)
