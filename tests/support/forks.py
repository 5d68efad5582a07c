"""The process that forks for tests/support/warm_start.py: it has imported the whole program and runs none of it."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
from typing import Any

# What the program imports only once it runs.
LATE = [
    "alembic.autogenerate",
    "alembic.command",
    "alembic.migration",
    "alembic.script",
    "app.worker",
    "gunicorn.app.base",
    "gunicorn.workers.gthread",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "stripe",
    "tests.support.fake_provider",
]


def main() -> None:
    """Import everything, then fork for each question that names something to run, until the line is closed."""
    from app.cli import main as purser

    for name in LATE:
        importlib.import_module(name)
    line = socket.socket(fileno=int(sys.argv[1])).makefile("rw", encoding="utf-8")
    ended: dict[int, int] = {}
    for question in map(json.loads, line):
        if "ended" in question:
            answer = _exit_code(question["ended"], ended)
        elif (answer := _forked()) == 0:
            _become(question)
            if "code" in question:
                exec(compile(question["code"], "<a test's program>", "exec"), {"__name__": "__main__"})
                return
            purser(question["words"])
        line.write(json.dumps(answer) + "\n")
        line.flush()


def _forked() -> int:
    """0 in the child, once it leads a session, and then its process id in the parent."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.close(writes)
    os.close(reads if pid == 0 else writes)
    if pid:
        os.read(reads, 1)  # ends when the child has closed its end
        os.close(reads)
    return pid


def _become(question: dict[str, Any]) -> None:
    """Be as a process that was just started: own session, output, environment, arguments and signals."""
    file = os.open(question["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.clear()
    os.environ.update(question["environment"])
    sys.argv = ["-c", *question["words"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _exit_code(pid: int, ended: dict[int, int]) -> int | None:
    if pid not in ended:
        with contextlib.suppress(ChildProcessError):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                ended[pid] = os.waitstatus_to_exitcode(status)
    return ended.get(pid)


if __name__ == "__main__":
    main()
