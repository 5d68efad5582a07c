"""The audit of all books: the ledger's, and those beside it that say which of it belongs to what."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import ledger
from app.credits import audit as credit_audit


def audit(session: Session, *, full: bool = False) -> ledger.Audit:
    """`ledger.audit`, and whether the credits' grants agree with it. Full: every row, changing nothing."""
    found = ledger.audit(session, full=full)
    return ledger.Audit([*found.faults, *credit_audit.faults(session, full=full)], found.checked)
