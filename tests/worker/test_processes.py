"""Workers as processes of their own: two at once, killed in the middle, told to stop. One credit per payment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.flows import top_up
from app.payments import Order, Payment, ProviderEvent, inbox
from tests.support.fake_provider import FakeProvider, heard, told
from tests.support.payments import again, make_customer, wallet_minor
from tests.support.running import without_ours
from tests.support.warm_start import WarmProcess, WarmStart

PROGRAM = """
import sys
from sqlalchemy.orm import sessionmaker
from app import worker
from app.config import Settings
from app.db import make_engine
from app.payments import inbox
from datetime import timedelta
from tests.support.fake_provider import FakeProvider
inbox.LEASE = timedelta(seconds=int(sys.argv[2]))
settings = Settings(env="test", database_url=sys.argv[1])
sessions = sessionmaker(make_engine(sys.argv[1]), expire_on_commit=False)
print("ready", flush=True)
worker.run(sessions, settings, {"stripe": FakeProvider()})
print("stopped", flush=True)
"""

pytestmark = [pytest.mark.slow, pytest.mark.real_time]


@dataclass
class Worker:
    """A worker's process, and what it has printed."""

    process: WarmProcess
    log: Path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


Start = Callable[[], Worker]


@pytest.fixture
def start(database_url: str, warm_start: WarmStart, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker process, and waits until it works. Its leases last a second."""
    started: list[Worker] = []

    def begin() -> Worker:
        log = tmp_path / f"worker-{len(started)}.log"
        process = warm_start.code(PROGRAM, [database_url, "1"], environment=without_ours(os.environ), output=log)
        started.append(Worker(process, log))
        until = time.monotonic() + 60
        while not (log.exists() and "ready\n" in log.read_text()):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, "it did not start"
            time.sleep(0.01)
        return started[-1]

    yield begin
    for worker in started:
        worker.kill()


def orders_with_news(session: Session, count: int) -> list[tuple[str, Order]]:
    """So many open orders of so many customers, each with three events about its one payment."""
    fake, made = FakeProvider(), []
    for number in range(count):
        payer = make_customer(session)
        order = top_up.start(session, fake, payer, 5000, form_key="f", return_url="https://x/", actor="usr_1")
        made.append((payer.id, order))
        with transaction(session):
            for kind in ("completed", "completed_paid", "paid"):
                news = heard(told(kind, order.id, payment=f"pay_{number}"))
                inbox.keep(session, provider="stripe", verified=news.verified, body=news.body, headers={})
    return made


def wait_until_applied(session: Session, seconds: int = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        session.rollback()
        waiting = select(func.count()).select_from(ProviderEvent).where(ProviderEvent.state == "pending")
        if not session.scalar(waiting):
            session.rollback()
            return
        time.sleep(0.1)
    raise AssertionError("some events are still pending")


def all_credited_once(session: Session, made: list[tuple[str, Order]]) -> None:
    assert {wallet_minor(session, customer) for customer, _ in made} == {5000}
    assert {again(session, order).state for _, order in made} == {"paid"}
    assert session.scalar(select(func.count()).select_from(Payment)) == len(made)
    assert set(session.scalars(select(ProviderEvent.state))) == {"done"}


def test_two_processes_apply_each_event_once(session: Session, start: Start) -> None:
    workers = [start(), start()]
    made = orders_with_news(session, 15)
    wait_until_applied(session)

    all_credited_once(session, made)
    assert all(worker.process.poll() is None for worker in workers)


def test_a_worker_killed_in_the_middle_again_and_again_loses_and_doubles_nothing(
    session: Session, start: Start
) -> None:
    made = orders_with_news(session, 30)
    for pause in (0.05, 0.1, 0.15, 0.2):
        worker = start()
        time.sleep(pause)
        worker.kill()
    start()
    wait_until_applied(session)

    all_credited_once(session, made)


def test_a_worker_told_to_stop_finishes_and_leaves(session: Session, start: Start) -> None:
    worker = start()
    made = orders_with_news(session, 3)
    worker.process.send_signal(signal.SIGTERM)

    assert worker.process.wait() == 0
    assert worker.log.read_text().endswith("stopped\n")
    start()
    wait_until_applied(session)
    all_credited_once(session, made)
