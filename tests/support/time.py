"""The tests' clock: it stands still at a fixed instant until a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import clock as the_clock

START = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)  # a Saturday, in no zone near midnight or a change to summer time


class Clock:
    """What time it is for the program: `clock.now`, `clock.advance(days=31)`, `clock.set(instant)`."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def advance(self, **step: int) -> datetime:
        """Move by a timedelta's words (days=, hours=, seconds=) and say the new time."""
        self.now += timedelta(**step)
        return self.now

    def set(self, instant: datetime) -> None:
        assert instant.tzinfo is not None, "a time without a zone"
        self.now = instant


@pytest.fixture(autouse=True)
def clock(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The clock every test runs on, in this process. Programs a test starts have the machine's own."""
    standing = Clock(START)
    if request.node.get_closest_marker("real_time"):
        yield None
        return
    with the_clock.frozen(lambda: standing.now):
        yield standing
