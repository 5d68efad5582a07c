"""The one clock (SPEC R9): aware UTC, and movable where no real money is, by tests and the demo.

Nothing else in the program asks the system for the time. A clock file, used by the demo so that web, worker,
sandbox and command line agree, holds how many seconds to add to the real time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_offset_file: Path | None = None
_offset_read: tuple[int, timedelta] = (-1, timedelta())
_source: Callable[[], datetime] | None = None


def now() -> datetime:
    """The present instant, aware, in UTC, to the microsecond."""
    if _source is not None:
        return _source()
    return datetime.now(UTC) + _offset()


def real_now() -> datetime:
    """The machine's own time, whatever the clock file says: for comparing with what strangers stamped, nothing else."""
    return _source() if _source is not None else datetime.now(UTC)


def timestamp(instant: datetime) -> str:
    """RFC 3339 in UTC with a Z, as the API writes times (R9)."""
    text = instant.astimezone(UTC).isoformat(timespec="milliseconds" if instant.microsecond else "seconds")
    return text.replace("+00:00", "Z")


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The time zone of this name; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def use_offset_file(path: Path | None) -> None:
    """Follow a clock file from now on; None goes back to the real time."""
    global _offset_file, _offset_read
    _offset_file, _offset_read = path, (-1, timedelta())


def advance(seconds: int) -> datetime:
    """Move the clock file forward for every process that follows it, and say what time it is now.

    Raises RuntimeError without a clock file: real time is not ours to move.
    """
    if _offset_file is None:
        raise RuntimeError("The clock can only be moved in the demo and in tests.")
    offset = int(_offset().total_seconds()) + seconds
    beside = _offset_file.with_suffix(".new")
    beside.write_text(str(offset))
    os.replace(beside, _offset_file)  # whole or not at all: other processes read it at any moment
    return now()


@contextmanager
def frozen(source: Callable[[], datetime]) -> Iterator[None]:
    """Tests: take the time from this function for a while."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before


def _offset() -> timedelta:
    global _offset_read
    if _offset_file is None:
        return timedelta()
    try:
        stamp = os.stat(_offset_file)
    except FileNotFoundError:
        return timedelta()
    version = hash((stamp.st_mtime_ns, stamp.st_ino))
    if version != _offset_read[0]:
        _offset_read = (version, timedelta(seconds=int(_offset_file.read_text() or "0")))
    return _offset_read[1]
