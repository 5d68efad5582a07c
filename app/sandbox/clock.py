"""The sandbox's time: real time plus an offset that can be moved forward."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


class OwnOffset:
    """The offset as a row of the sandbox's database, read and written through the two functions given."""

    def __init__(self, read: Callable[[], int], write: Callable[[int], None]) -> None:
        self.read, self.write = read, write


class FileOffset:
    """The offset as a file that other programs follow too."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int:
        """Seconds; a file that is missing or empty means none."""
        try:
            return int(self._path.read_text() or "0")
        except FileNotFoundError:
            return 0

    def write(self, seconds: int) -> None:
        """Replace the file whole, because others read it at any moment."""
        beside = self._path.with_suffix(".new")
        beside.write_text(str(seconds))
        os.replace(beside, self._path)


class Clock:
    """Epoch seconds, in the moved time. With `still_at` it stands at that instant and goes on only when moved."""

    def __init__(self, offset: OwnOffset | FileOffset, still_at: int | None = None) -> None:
        self._offset, self._still_at = offset, still_at

    def now(self) -> int:
        """The present moment of the sandbox."""
        return self._base() + self._offset.read()

    def offset(self) -> int:
        """How far ahead of real time we are, in seconds."""
        return self._offset.read()

    def advance(self, seconds: int) -> int:
        """Move forward and say what time it is now. Time never goes back: bills already written would not follow."""
        if seconds < 0:
            raise ValueError("The clock only moves forward.")
        self._offset.write(self._offset.read() + seconds)
        return self.now()

    def _base(self) -> int:
        return real_now() if self._still_at is None else self._still_at


def real_now() -> int:
    """Real epoch seconds. Webhook signatures carry this: the receiver compares them with its own real time."""
    return time.time_ns() // 1_000_000_000
