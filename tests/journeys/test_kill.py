"""kill -9 of web and worker under load: what was acknowledged is there once, the rest at most once (SPEC R4, R5).

`TEST_KILLS=30` in the environment makes it thirty kills on each database.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from app import ledger
from app.customers import api_keys, customers
from app.db import transaction
from app.flows import audit_books
from app.payments import orders
from app.payments.models import ProviderEvent
from app.wallet import adjust
from app.wallet.accounts import wallet_of
from tests.journeys.killing import CENT, Load, Log, Promise, TopUp
from tests.support.running import Program, free_port, wait_until_ready

pytestmark = [pytest.mark.slow, pytest.mark.real_time, pytest.mark.timeout(400)]

log = logging.getLogger(__name__)

KILLS = int(os.environ.get("TEST_KILLS", "6"))
SECRET = "whsec_of_the_kill_test_only"
START = 100_000 * CENT  # what each wallet begins with
LEASE = 180  # seconds: longer than a dead worker keeps what it had claimed


class Installation:
    """Web and worker as processes of their own on one database, and the ways to kill them."""

    def __init__(self, start: Callable[..., Program], database_url: str, directory: Path) -> None:
        self._start, self.clock_file = start, directory / "clock"
        self._variables = {
            "PURSER_ENV": "test",
            "PURSER_DATABASE_URL": database_url,
            "PURSER_SECRET_KEY": "of-the-kill-test-only-and-nowhere-else",
            "STRIPE_SECRET_KEY": "sk_test_of_the_kill_test",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": "http://127.0.0.1:9/sandbox",  # nobody is there: events are all it hears
            "PURSER_CLOCK_FILE": str(self.clock_file),
        }
        self.port = free_port()
        self.start_web()
        self.start_worker()

    def start_web(self) -> None:
        words = ("serve", "--port", str(self.port), "--workers", "2", "--threads", "4")
        self.web = self._start(*words, base_url=f"http://127.0.0.1:{self.port}", **self._variables)
        wait_until_ready(self.web)

    def start_worker(self) -> None:
        self.worker = self._start("work", **self._variables)

    def kill_web(self) -> None:
        """The whole of it, master and workers."""
        self.web.kill()
        self.start_web()

    def kill_one_process_of_the_web(self) -> None:
        """One of the workers; the master makes another."""
        asked = ["ps", "-o", "pid=", "--ppid", str(self.web.process.pid)]
        told = subprocess.run(asked, check=False, capture_output=True, text=True)
        if children := told.stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(random.choice(children)), signal.SIGKILL)

    def kill_worker(self) -> None:
        self.worker.kill()
        self.start_worker()

    def skip_the_leases(self) -> None:
        """Let the time pass that a dead worker's claims keep others away."""
        self.clock_file.write_text(str(LEASE))


@pytest.fixture
def installation(start_program: Callable[..., Program], database_url: str, tmp_path: Path) -> Iterator[Installation]:
    return Installation(start_program, database_url, tmp_path)


def test_what_was_acknowledged_is_there_once_after_many_kills(installation, engine, session):
    people = [_customer(session, number) for number in range(6)]
    keys = [_service_key(session) for _ in range(40)]  # each may call 600 times a minute
    topups = [_order(session, people[number % 6], 1_000 + number) for number in range(400)]
    load = Load(installation.web.base_url, keys, people, topups, SECRET)

    load.start()
    for number in range(KILLS):
        _wait_for_answers(load.log, debits=4 * (number + 1), topups=number + 1)
        time.sleep(random.random() / 3)
        _kill(installation, number)
    _wait_for_answers(load.log, debits=130, topups=35)
    load.stop()
    installation.skip_the_leases()
    _wait_for_the_inbox(engine)

    assert load.log.refused == []
    _compare(session, people, load.log)
    assert audit_books.audit(session, full=True).faults == []
    log.info("%s movements, %s answers lost", len(load.log.debits) + len(load.log.topups), load.log.lost_answers())


def _wait_for_answers(told: Log, *, debits: int, topups: int, seconds: int = 60) -> None:
    """Until so many of each have been answered, so that every kill meets load however slow the machine is."""
    until = time.monotonic() + seconds
    while _acknowledged(told.debits) < debits or _acknowledged(told.topups) < topups:
        assert time.monotonic() < until, "there is hardly any load"
        time.sleep(0.02)


def _acknowledged(promises: dict[str, Promise]) -> int:
    return sum(each.acknowledged for each in list(promises.values()))


def _kill(installation: Installation, number: int) -> None:
    """Six times all of the web, twelve times one of its processes, twelve times the worker."""
    if number % 5 == 0:
        installation.kill_web()
    elif number % 5 in (1, 3):
        installation.kill_one_process_of_the_web()
    else:
        installation.kill_worker()


def _compare(session: Session, people: list[str], told: Log) -> None:
    """The clients' log against the books: each acknowledged movement once, with its amount, and no other twice."""
    session.rollback()
    seen: Counter[str] = Counter()
    for customer_id in people:
        lines = _all_lines(session, customer_id)
        for line in lines:
            name = line.data.get("payment") or str(line.data["description"]).removeprefix("Run ")
            asked = told.topups.get(name) or told.debits.get(name)
            if asked is not None:
                seen[name] += 1
                assert asked.customer_id == customer_id
                assert abs(line.amount) == asked.cents * CENT
        assert ledger.balance(session, wallet_of(customer_id)).balance == sum(line.amount for line in lines)
    for name, asked in [*told.debits.items(), *told.topups.items()]:
        assert seen[name] == 1 if asked.acknowledged else seen[name] <= 1, (
            f"{name} is there {seen[name]} times: {asked}"
        )


def _all_lines(session: Session, customer_id: str) -> list[ledger.Line]:
    lines: list[ledger.Line] = []
    before: int | None = None
    while page := ledger.history(session, wallet_of(customer_id), before=before, limit=500):
        lines += page
        before = page[-1].seq
    return lines


def _wait_for_the_inbox(engine: Engine, seconds: int = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with Session(engine) as session:
            waiting = session.scalar(select(func.count()).where(ProviderEvent.state == "pending"))
        if not waiting:
            return
        time.sleep(0.2)
    raise AssertionError(f"{waiting} events still wait in the inbox")


def _customer(session: Session, number: int) -> str:
    with transaction(session):
        made = customers.open_customer(
            session, name=f"Load {number}", email=f"load{number}@example.com", actor="system"
        )
        adjust.adjust(session, made.id, START, reason="To spend", actor="system", key="start")
    return made.id


def _service_key(session: Session) -> str:
    with transaction(session):
        return api_keys.create_service_key(session, name="Load")[1]


def _order(session: Session, customer_id: str, cents: int) -> TopUp:
    with transaction(session):
        order = orders.open_order(
            session,
            customer_id=customer_id,
            amount_minor=cents,
            currency="usd",
            channel="stripe",
            form_key=f"load-{cents}",
            created_by="system",
        )
    return TopUp(order.id, customer_id, cents)
