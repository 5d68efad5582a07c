"""The real program, started as its own processes on free ports, for journeys and for kill -9."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

import pytest

from tests.support.warm_start import WarmProcess, WarmStart

ROOT = Path(__file__).resolve().parents[2]
OUR_VARIABLES = ("PURSER_", "STRIPE_", "SMTP_", "REDIS_")


@dataclass
class Program:
    """One running process of ours: its address if it listens, and what it printed."""

    process: subprocess.Popen[bytes] | WarmProcess
    log: Path
    base_url: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def kill(self) -> None:
        """End it and everything it started with no chance to tidy up, as a power cut or the kernel would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        if self.base_url:
            wait_until_silent(self.base_url)

    def stop(self) -> None:
        """Ask it to finish, and insist after thirty seconds."""
        if self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def printed(self) -> str:
        return self.log.read_text(errors="replace")


def free_port() -> int:
    """A port nobody listens at now. Another process may take it first; that shows as a failed start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start_program(tmp_path: Path, warm_start: WarmStart) -> Iterator[Callable[..., Program]]:
    """Starts `purser <words>` with the given variables and none of the machine's own; stopped after the test."""
    with programs(tmp_path, warm_start) as start:
        yield start


@pytest.fixture
def cold_start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """The same, as `python -m app <words>`: a second slower."""
    with programs(tmp_path) as start:
        yield start


@contextmanager
def programs(directory: Path, warm_start: WarmStart | None = None) -> Iterator[Callable[..., Program]]:
    """A function that starts `purser <words>`, logging into `directory`; what it started is stopped at the end."""
    started: list[Program] = []

    def start(*words: str, base_url: str = "", **variables: str) -> Program:
        log = directory / f"{words[0]}-{len(started)}.log"
        log.touch()
        environment = {**without_ours(os.environ), "PYTHONUNBUFFERED": "1", "PURSER_ENV": "demo", **variables}
        process: subprocess.Popen[bytes] | WarmProcess
        if warm_start is not None:
            process = warm_start.program(list(words), environment=environment, output=log)
        else:
            process = _from_cold(words, environment, log)
        program = Program(process, log, base_url, environment)
        started.append(program)
        return program

    try:
        yield start
    finally:
        for program in reversed(started):
            program.stop()


def without_ours(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment without a setting of ours in it."""
    return {name: value for name, value in variables.items() if not name.startswith(OUR_VARIABLES)}


def _from_cold(words: tuple[str, ...], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "app", *words],
            cwd=ROOT,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@pytest.fixture
def running_purser(start_program: Callable[..., Program], database_url: str, tmp_path: Path) -> Program:
    """The demo, whole: web, worker and sandbox in one command, on this test's database and a free port."""
    port = free_port()
    program = start_program(
        "demo",
        "--port",
        str(port),
        base_url=f"http://127.0.0.1:{port}",
        PURSER_DATABASE_URL=database_url,
        PURSER_DEMO_DIRECTORY=str(tmp_path / "demo"),
    )
    wait_until_ready(program)
    return program


def wait_until_silent(base_url: str, seconds: int = 30) -> None:
    """Wait until nobody listens there: what a killed program had started ends a moment after it."""
    host, _, port = urlsplit(base_url).netloc.partition(":")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))):
                return
        time.sleep(0.01)
    raise AssertionError(f"somebody still listens at {base_url}")


def wait_until_ready(program: Program, seconds: int = 60) -> None:
    """Wait for the program's /readyz. Raises AssertionError with what it printed when it ends or takes too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if program.process.poll() is not None:
            raise AssertionError(f"purser ended with {program.process.returncode}:\n{program.printed}")
        try:
            with urllib.request.urlopen(program.base_url + "/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    program.kill()
    raise AssertionError(f"purser was not ready after {seconds} seconds:\n{program.printed}")
