"""Group commit for the hot verbs: many callers' requests in one transaction, each answered for itself.

A lock held while the disk syncs limits a hot wallet to one debit per sync; a batch shares it. What is answered is
durable, by the rules of `ledger.post`, which are the same code. Callers stand in one line, or on PostgreSQL in several,
each with a connection: then the server writes for one while another works its batch out. Batches are smaller for it,
and cost more each. A customer is always in the same line.
"""

from __future__ import annotations

import os
import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from app.errors import Refusal
from app.ledger.accounts import Account
from app.ledger.chart import ChartViolation
from app.ledger.clerk_postgresql import PostgresClerk
from app.ledger.clerk_sqlite import SqliteClerk
from app.ledger.entries import Entry, Hold
from app.ledger.requests import Ending, Posting, Request, holding, posting, settling
from app.ledger.sheet import Result
from app.waiting_line import Applies, Line

MOST = 256  # requests in one transaction: more makes everybody wait for the slowest without a faster disk
LARGEST_CALL = 2_000  # postings of one `post_many` that share a transaction


class Committer:
    """One per process, safe to share between threads, and to inherit through a fork."""

    def __init__(self, engine: Engine, most: int = MOST, lines: int = 1) -> None:
        """`lines`: how many batches PostgreSQL may be given at once, each by a connection of its own."""
        self._engine = engine
        self._most = most
        self._number = 1 if engine.dialect.name == "sqlite" else lines  # SQLite has one writer
        self._reset()
        this = weakref.ref(self)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: _after_fork(this))

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
        """`ledger.post` in a transaction of its own, durable when it returns. Must not be called inside a transaction
        that has changed the same accounts: it would wait for itself."""
        entry = self._do(posting(kind, legs, customer_id=customer_id, key=key, data=data, occurred_at=occurred_at))
        assert isinstance(entry, Entry)
        return entry

    def hold(
        self, account: Account, amount: int, *, key: str, expires_at: datetime, data: Mapping[str, Any] | None = None
    ) -> Hold:
        """`ledger.hold`, durable when it returns."""
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
        """`ledger.settle`, durable when it returns."""
        ended = self._do(settling(customer_id, hold_id, amount, kind=kind, to=to, data=data))
        assert isinstance(ended, tuple)
        return ended

    def release(self, customer_id: str, hold_id: str) -> Hold:
        """`ledger.release`, durable when it returns."""
        ended = self._do(Ending(customer_id, hold_id))
        assert isinstance(ended, Hold)
        return ended

    def post_many(self, postings: Sequence[Posting]) -> list[Entry | Refusal]:
        """Many postings (made by `ledger.posting`), up to 2,000 to a transaction; each answers for itself, in order.

        A fault of the program in one of them is raised after all the others are done.
        """
        done: list[Entry | Refusal] = []
        fault: Exception | None = None
        for start in range(0, len(postings), LARGEST_CALL):
            for one in self._do_many(postings[start : start + LARGEST_CALL]):
                if isinstance(one, Entry | Refusal):
                    done.append(one)
                else:
                    assert isinstance(one, Exception)
                    fault = fault or one
        if fault is not None:
            raise fault
        return done

    def close(self) -> None:
        """Give the connections back. The next request opens a new one."""
        for line in self._lines:
            line.clerk.close()

    @property
    def batch_sizes(self) -> Counter[int]:
        """How many requests shared a transaction, and how often."""
        return sum((line.batch_sizes for line in self._lines), Counter())

    def _do(self, request: Request) -> Result:
        [done] = self._line_of(request).do([request])
        if isinstance(done, Exception):
            raise done
        return done

    def _line_of(self, request: Request) -> Line[Request, Result]:
        return self._lines[hash(request.customer_id) % len(self._lines)]

    def _do_many(self, requests: Sequence[Request]) -> list[Result | Exception]:
        """Each line's share in a transaction, one after the other; the answers in the order asked."""
        shares: dict[Line[Request, Result], list[int]] = {}
        for at, request in enumerate(requests):
            shares.setdefault(self._line_of(request), []).append(at)
        answers: dict[int, Result | Exception] = {}
        for line, share in shares.items():
            answers.update(zip(share, line.do([requests[at] for at in share]), strict=True))
        return [answers[at] for at in range(len(requests))]

    def _reset(self) -> None:
        self._lines = [Line[Request, Result](_clerk_for(self._engine), self._most) for _ in range(self._number)]


def _clerk_for(engine: Engine) -> Applies[Request, Result]:
    return SqliteClerk(engine) if engine.dialect.name == "sqlite" else PostgresClerk(engine)


def _after_fork(this: weakref.ref[Committer]) -> None:
    """In the child: the parent's connections are the parent's, and nobody is waiting here."""
    committer = this()
    if committer is not None:
        for line in committer._lines:  # noqa: SLF001 - the same module
            line.clerk.abandon()
        committer._engine.dispose(close=False)  # noqa: SLF001
        committer._reset()  # noqa: SLF001


__all__ = ["ChartViolation", "Committer"]
