"""Programs of ours as processes of their own that start at once: forked from one that has imported everything already.

Starting Python and importing the program takes a second of a processor, and the tests that kill do it a hundred times.
What a forked process does is the same, but for the imports; tests/cli/test_programs.py starts programs as people do.
The other side of the line is tests/support/forks.py.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


class WarmProcess:
    """The part of subprocess.Popen that tests use."""

    def __init__(self, starter: WarmStart, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._starter = starter

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._starter.ask({"ended": self.pid})
        return self.returncode

    def wait(self, timeout: float = 60) -> int:
        """Its exit code, negative for a signal. Raises subprocess.TimeoutExpired."""
        until = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.01)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class WarmStart:
    """The process that forks, and the line to it. One for each worker of the tests; any thread may ask."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forks", str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()]
        )
        theirs.close()
        self._line = ours.makefile("rw", encoding="utf-8")
        self._socket, self._lock = ours, threading.Lock()

    def ask(self, question: dict[str, Any]) -> Any:
        with self._lock:
            self._line.write(json.dumps(question) + "\n")
            self._line.flush()
            return json.loads(self._line.readline())

    def program(self, words: list[str], *, environment: Mapping[str, str], output: Path) -> WarmProcess:
        """`purser <words>`, in a session of its own, with exactly this environment; what it prints goes to the file."""
        return self._started({"words": words}, environment, output)

    def code(self, text: str, arguments: list[str], *, environment: Mapping[str, str], output: Path) -> WarmProcess:
        """`python -c <text> <arguments>`."""
        return self._started({"code": text, "words": arguments}, environment, output)

    def _started(self, what: dict[str, Any], environment: Mapping[str, str], output: Path) -> WarmProcess:
        pid = self.ask({**what, "environment": dict(environment), "output": str(output)})
        return WarmProcess(self, pid)

    def close(self) -> None:
        self._line.close()
        self._socket.close()
        self._process.wait(30)


@pytest.fixture(scope="session")
def warm_start() -> Iterator[WarmStart]:
    made = WarmStart()
    yield made
    made.close()
