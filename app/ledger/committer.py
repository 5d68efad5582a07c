"""Group commit for the hot verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.db import transaction
from app.errors import Refusal
from app.ledger.accounts import Account
from app.ledger.books import apply, books_of
from app.ledger.entries import Entry, Hold
from app.ledger.requests import Ending, Posting, Request, holding, posting, settling
from app.ledger.sheet import Result


class Committer:
    """Group commit for the hot verbs: same rules as in a session, own transaction, durable when it returns."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def post(
        self,
        kind: str,
        legs: Mapping[Account, int],
        *,
        customer_id: str,
        key: str,
        data: Mapping[str, Any] | None = None,
        occurred_at: datetime | None = None,
    ) -> Entry:
        """See `ledger.post`."""
        entry = self._do(posting(kind, legs, customer_id=customer_id, key=key, data=data, occurred_at=occurred_at))
        assert isinstance(entry, Entry)
        return entry

    def hold(
        self, account: Account, amount: int, *, key: str, expires_at: datetime, data: Mapping[str, Any] | None = None
    ) -> Hold:
        """See `ledger.hold`."""
        made = self._do(holding(account, amount, key=key, expires_at=expires_at, data=data))
        assert isinstance(made, Hold)
        return made

    def settle(
        self,
        customer_id: str,
        hold_id: str,
        amount: int,
        *,
        kind: str,
        to: Account | Mapping[Account, int],
        data: Mapping[str, Any] | None = None,
    ) -> tuple[Hold, Entry | None]:
        """See `ledger.settle`."""
        ended = self._do(settling(customer_id, hold_id, amount, kind=kind, to=to, data=data))
        assert isinstance(ended, tuple)
        return ended

    def release(self, customer_id: str, hold_id: str) -> Hold:
        """See `ledger.release`."""
        ended = self._do(Ending(customer_id, hold_id))
        assert isinstance(ended, Hold)
        return ended

    def post_many(self, postings: Sequence[Posting]) -> list[Entry | Refusal]:
        """Many postings (from `ledger.posting`) in one transaction; each answers for itself, in order."""
        with Session(self.engine) as session, transaction(session):
            done = apply(books_of(session), list(postings), strict=True)
        for one in done:
            if isinstance(one, AssertionError):
                raise one
        return done  # type: ignore[return-value]

    def _do(self, request: Request) -> Result:
        with Session(self.engine) as session, transaction(session):
            [done] = apply(books_of(session), [request], strict=False)
        if isinstance(done, Exception):
            raise done
        return done
