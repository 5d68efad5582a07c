"""Looking after the audit log: its newest lines are sealed every few seconds, and once a day the chain is checked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app import clock
from app.activity import checking
from app.flows import audit_log

log = logging.getLogger(__name__)

_SWEEP = timedelta(hours=1)  # lines of transactions that ended long after others are looked for as often
_CHECK = timedelta(days=1)
_FAULTS_LOGGED = 5


class Keeper:
    """One worker's care for the log. `real_time` says that the clock is never moved here."""

    def __init__(self, session_factory: Callable[[], Session], *, real_time: bool) -> None:
        self._session_factory, self._real_time = session_factory, real_time
        self._swept: datetime | None = None

    def __call__(self) -> int:
        """Seal what is new; how many batches that were. Tells of faults once a day, in the log and to staff."""
        with self._session_factory() as session:
            if self._swept is None or clock.now() - self._swept >= _SWEEP:
                done = audit_log.seal_all(session)
                self._swept = clock.now()
            else:
                done = audit_log.seal_new(session)
            if not done and checking.is_due(session, _CHECK):
                self._check(session)
        return done

    def _check(self, session: Session) -> None:
        session.rollback()
        found = audit_log.verify(session, real_time=self._real_time, by="system")
        # The hash goes where no one who can only reach the database can change it.
        log.info("the audit log: %d lines sealed, the last with %s", found.sealed, found.head)
        if not found.holds:
            log.critical("the audit log was tampered with: %s", " ".join(found.faults[:_FAULTS_LOGGED]))
