"""Numbers have no gaps: whoever finalises at once, whoever gives up, and whoever is killed (SPEC I1)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.invoices import Invoice
from tests.invoices.conftest import Desk

# Gives itself a number, says so, and waits to be killed before it can commit.
KILLED = """
import sys
from sqlalchemy.orm import Session
from app.db import make_engine, transaction
from app.invoices import numbers
with Session(make_engine(sys.argv[1])) as session, transaction(session):
    print(numbers.give(session, "INV")[0], flush=True)
    sys.stdin.read()
"""


def test_many_at_once_leave_no_gap_even_when_some_give_up(engine: Engine, desk: Desk) -> None:
    class GaveUp(Exception):
        pass

    def one(number: int) -> None:
        with Session(engine, expire_on_commit=False) as session:
            try:
                with transaction(session):
                    Desk(session, desk.customer_id).begun(100, key=f"sub_1:{number}")
                    if number % 3 == 0:
                        raise GaveUp
            except GaveUp:
                pass

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(one, range(30)))

    assert numbers_of(desk) == [f"INV-2026-{number:04d}" for number in range(1, 21)]


def test_a_process_killed_before_its_commit_gives_its_number_back(
    engine: Engine, database_url: str, desk: Desk
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        taken = killed.stdout.readline().strip()
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(30)

    assert taken.endswith("-0001")
    assert desk.invoice(100).number == "INV-2026-0001"


def numbers_of(desk: Desk) -> list[str | None]:
    desk.session.rollback()
    return list(desk.session.scalars(select(Invoice.number).order_by(Invoice.number)))
