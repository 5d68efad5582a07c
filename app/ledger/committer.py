"""Group commit for the hot verbs: many callers' requests in one transaction, each answered for itself.

Callers put their request in a queue and wait. The first becomes leader: it takes what is queued, applies it in one
transaction, and wakes each caller with its own result; then the next in the queue leads. There is no timer: an idle
system commits at once, a batch of one, and a busy one waits a moment only for callers it has just answered.
A lock held while the disk syncs limits a hot wallet to one debit per sync; a batch shares it. What is answered is
durable, by the rules of `ledger.post`, which are the same code.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from app.errors import Refusal
from app.ledger.accounts import Account
from app.ledger.chart import ChartViolation
from app.ledger.clerk import Clerk, clerk_for
from app.ledger.entries import Entry, Hold
from app.ledger.requests import Ending, Posting, Request, holding, posting, settling
from app.ledger.sheet import Result

MOST = 256  # requests in one transaction: more makes everybody wait for the slowest without a faster disk
LONGEST_WAIT = 2_000_000  # nanoseconds
LARGEST_CALL = 2_000  # postings of one `post_many` that share a transaction


class _Waiting:
    """A caller in the queue, with its requests. Woken either with its results, or to lead the next batch."""

    __slots__ = ("awake", "leads", "requests", "results")

    def __init__(self, requests: Sequence[Request]) -> None:
        self.requests = requests
        self.results: list[Result | Exception] | None = None
        self.leads = False
        self.awake = threading.Lock()
        self.awake.acquire()


class Committer:
    """One per process, safe to share between threads, and to inherit through a fork."""

    def __init__(self, engine: Engine, most: int = MOST) -> None:
        self.batch_sizes: Counter[int] = Counter()
        self._engine = engine
        self._most = most
        self._led = False
        self._company = self._took = 0  # callers in the last batch, and nanoseconds it took
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
            for one in self._queue_and_wait(postings[start : start + LARGEST_CALL]):
                if isinstance(one, Entry | Refusal):
                    done.append(one)
                else:
                    assert isinstance(one, Exception)
                    fault = fault or one
        if fault is not None:
            raise fault
        return done

    def close(self) -> None:
        """Give the connection back. The next request opens a new one."""
        self._clerk.close()

    def _do(self, request: Request) -> Result:
        [done] = self._queue_and_wait([request])
        if isinstance(done, Exception):
            raise done
        return done

    def _queue_and_wait(self, requests: Sequence[Request]) -> list[Result | Exception]:
        waiting = _Waiting(requests)
        with self._lock:
            self._queue.append(waiting)
            if not self._led:
                self._led = waiting.leads = True
        if not waiting.leads:
            waiting.awake.acquire()
        if waiting.leads:
            self._lead()
        assert waiting.results is not None
        return waiting.results

    def _lead(self) -> None:
        """Apply one batch, which has the leader's own request first in it, and hand over to whoever is next."""
        self._let_the_others_come()
        batch = self._take()
        requests = [request for waiting in batch for request in waiting.requests]
        self.batch_sizes[len(requests)] += 1
        began = time.perf_counter_ns()
        results: list[Result | Exception]
        try:
            results = self._clerk.apply(requests)
        except BaseException as failure:
            results = [failure if isinstance(failure, Exception) else ConnectionError("interrupted")] * len(requests)
            if not isinstance(failure, Exception):
                self._finish(batch, results)
                raise
        self._company, self._took = len(batch), time.perf_counter_ns() - began
        self._finish(batch, results)

    def _let_the_others_come(self) -> None:
        """Give the callers of the last batch, who have just been answered, a moment to ask again.

        Without it every second batch would be the one caller who happened to be first, and cost a sync like a full one.
        At most a quarter of what the last batch took, and not at all after a batch of one: an idle system waits for
        nobody.
        """
        if self._company < 2 or len(self._queue) >= self._company:
            return
        until = time.perf_counter_ns() + min(self._took // 4, LONGEST_WAIT)
        while len(self._queue) < self._company and time.perf_counter_ns() < until:
            time.sleep(0.000_02)  # lets the threads that have been woken run

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        with self._lock:
            while self._queue and (not batch or size + len(self._queue[0].requests) <= self._most):
                waiting = self._queue.popleft()
                size += len(waiting.requests)
                batch.append(waiting)
        return batch

    def _finish(self, batch: list[_Waiting], results: list[Result | Exception]) -> None:
        with self._lock:
            following = self._queue[0] if self._queue else None
            self._led = following is not None
        if following is not None:
            following.leads = True
            following.awake.release()  # first, so that the next batch is on its way while we wake the rest
        start = 0
        for waiting in batch:
            waiting.results = results[start : start + len(waiting.requests)]
            start += len(waiting.requests)
            if not waiting.leads:
                waiting.awake.release()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._led = False
        self._clerk: Clerk = clerk_for(self._engine)


def _after_fork(this: weakref.ref[Committer]) -> None:
    """In the child: the parent's connections are the parent's, and nobody is waiting here."""
    committer = this()
    if committer is not None:
        committer._clerk.abandon()  # noqa: SLF001 - the same module
        committer._engine.dispose(close=False)  # noqa: SLF001
        committer._reset()  # noqa: SLF001


__all__ = ["ChartViolation", "Committer"]
