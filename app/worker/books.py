"""Keeping the books in order: the daily sums that make big books quick to read, and the audit of what is new."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy.orm import Session

from app import activity, ledger
from app.db import transaction

log = logging.getLogger(__name__)

_FAULTS_TOLD = 5


def roll_up(session_factory: Callable[[], Session]) -> int:
    """Add the newest legs to the daily sums; how many were added."""
    with session_factory() as session, transaction(session):
        return ledger.roll_up(session)


def audit(session_factory: Callable[[], Session]) -> int:
    """Audit what was written since the last time, and tell staff when the books are wrong."""
    with session_factory() as session, transaction(session):
        faults = ledger.audit(session).faults
        if faults:
            log.critical("the books are wrong: %s", " ".join(faults[:_FAULTS_TOLD]))
            activity.record(session, "system", "books.wrong", "house", count=len(faults), faults=faults[:_FAULTS_TOLD])
    return 0  # whatever it found, there is nothing more to do at once
