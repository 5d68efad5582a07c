"""Where a hot verb writes: the caller's own transaction, or the process's group committer.

Debits, charges and holds come in floods from the host product, so the API hands them to the `Committer`, which
gathers what waits and commits it at once. A flow that already has a transaction open hands its session over.
Both keep the same rules, and the verbs are written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from app import ledger
from app.ledger import Account, Committer, Entry, Hold

Legs: TypeAlias = Mapping[Account, int]
Where: TypeAlias = Session | Committer

_LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class InTransaction:
    """The ledger within the caller's transaction: done when the caller commits."""

    session: Session

    def post(self, kind: str, legs: Legs, *, customer_id: str, key: str, data: dict[str, Any] | None = None) -> Entry:
        return ledger.post(self.session, kind, legs, customer_id=customer_id, key=key, data=data)

    def hold(self, account: Account, amount: int, *, key: str, expires_at: datetime, data: dict[str, Any]) -> Hold:
        return ledger.hold(self.session, account, amount, key=key, expires_at=expires_at, data=data)

    def settle(
        self, customer_id: str, hold_id: str, amount: int, *, kind: str, to: Account, data: dict[str, Any]
    ) -> tuple[Hold, Entry | None]:
        return ledger.settle(self.session, customer_id, hold_id, amount, kind=kind, to=to, data=data)

    def release(self, customer_id: str, hold_id: str) -> Hold:
        return ledger.release(self.session, customer_id, hold_id)


def key_of(verb: str, key: str) -> str:
    """The ledger's key for a caller's key: as it is, or its digest where the ledger's column would not hold it."""
    whole = f"{verb}:{key}"
    return whole if len(whole) <= _LONGEST_KEY else f"{verb}:sha256:{sha256(key.encode()).hexdigest()}"


def books(where: Where) -> InTransaction | Committer:
    """The verbs `post`, `hold`, `settle` and `release`, whichever of the two was handed in."""
    return InTransaction(where) if isinstance(where, Session) else where
