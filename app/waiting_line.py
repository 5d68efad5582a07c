"""A line: callers queue before one clerk, and the first of them does the work of all who have come.

It takes what is queued, has the clerk apply it in one transaction, and wakes each caller with its own result; then the
next in the queue leads. There is no timer: an idle line commits at once, a batch of one, and a busy one waits a moment
only for callers it has just answered.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

LONGEST_WAIT = 2_000_000  # nanoseconds

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")
Asked_contra = TypeVar("Asked_contra", contravariant=True)
Answered_co = TypeVar("Answered_co", covariant=True)


class Applies(Protocol[Asked_contra, Answered_co]):
    """Who does the work of a batch. Called by one thread at a time."""

    def apply(self, requests: Sequence[Asked_contra], /) -> Sequence[Answered_co | Exception]:
        """Each request's result or what it is refused with, in order, durable."""

    def close(self) -> None: ...

    def abandon(self) -> None:
        """Forget the connection without touching it: it belongs to the parent process."""


class _Waiting(Generic[Asked, Answered]):
    """A caller in the queue, with its requests. Woken either with its results, or to lead the next batch."""

    __slots__ = ("awake", "leads", "requests", "results", "size")

    def __init__(self, requests: Sequence[Asked], size: int) -> None:
        self.requests = requests
        self.size = size
        self.results: Sequence[Answered | Exception] | None = None
        self.leads = False
        self.awake = threading.Lock()
        self.awake.acquire()


class Line(Generic[Asked, Answered]):
    """One queue before one clerk. `batch_sizes` counts how many requests shared a transaction."""

    def __init__(
        self, clerk: Applies[Asked, Answered], most: int, size_of: Callable[[Asked], int] | None = None
    ) -> None:
        """`most`: the size of a batch of several callers; a request is of size 1, or what `size_of` says."""
        self.clerk = clerk
        self._size_of = size_of
        self.batch_sizes: Counter[int] = Counter()
        self._most = most
        self._led = False
        self._company = self._took = 0  # callers in the last batch, and nanoseconds it took
        self._lock = threading.Lock()
        self._queue: deque[_Waiting[Asked, Answered]] = deque()

    def do(self, requests: Sequence[Asked]) -> Sequence[Answered | Exception]:
        """Queue, wait, and answer each request's result or what it was refused with."""
        size = len(requests) if self._size_of is None else sum(map(self._size_of, requests))
        waiting: _Waiting[Asked, Answered] = _Waiting(requests, size)
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
        results: Sequence[Answered | Exception]
        try:
            results = self.clerk.apply(requests)
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

    def _take(self) -> list[_Waiting[Asked, Answered]]:
        batch: list[_Waiting[Asked, Answered]] = []
        size = 0
        with self._lock:
            while self._queue and (not batch or size + self._queue[0].size <= self._most):
                waiting = self._queue.popleft()
                size += waiting.size
                batch.append(waiting)
        return batch

    def _finish(self, batch: list[_Waiting[Asked, Answered]], results: Sequence[Answered | Exception]) -> None:
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
