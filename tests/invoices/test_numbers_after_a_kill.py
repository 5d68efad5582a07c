"""A number that a process took and could not use, because it was killed, is given again (SPEC I1)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.invoices.conftest import Desk

pytestmark = pytest.mark.postgresql  # where the row of the series is locked by a server that outlives the process
# Gives itself a number, says so, and waits to be killed before it can commit.
KILLED = """
import sys
from datetime import datetime
from sqlalchemy.orm import Session
from app import clock
from app.db import make_engine, transaction
from app.invoices import numbers
then = datetime.fromisoformat(sys.argv[2])
with clock.frozen(lambda: then), Session(make_engine(sys.argv[1])) as session, transaction(session):
    print(numbers.give(session, "INV")[0], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def database_url(pg_url: str) -> str:
    return pg_url


def test_a_process_killed_before_its_commit_gives_its_number_back(database_url: str, desk: Desk, clock) -> None:
    program = [sys.executable, "-c", KILLED, database_url, clock.now.isoformat()]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        taken = killed.stdout.readline().strip()
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(30)

    assert taken == "INV-2026-0001"
    assert desk.invoice(100).number == "INV-2026-0001"
