"""The worker's loop: works until told to stop, wakes at the bell, and no fault of one task ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.orm import Session

from app import worker
from app.config import Settings
from app.flows import top_up
from app.payments import bell
from app.worker import process
from app.worker.tasks import Task, tasks
from tests.support.fake_provider import heard, told
from tests.support.payments import again, wallet_minor


def until(true: Callable[[], bool], seconds: int = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


@contextmanager
def working(sessions, settings: Settings, providers) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=worker.loop, args=(sessions, settings, providers, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive(), "it stops when told to"


@pytest.fixture
def order(session: Session, fake, payer):
    return top_up.start(session, fake, payer, 5000, form_key="f", return_url="https://x.example/", actor="usr_1")


def test_it_applies_what_comes_while_it_runs(session: Session, sessions, settings, providers, order, tells) -> None:
    with working(sessions, settings, providers):
        tells("completed_paid", order.id)
        bell.ring()

        assert until(lambda: wallet_minor(session, order.customer_id) == 5000)


def test_two_loops_apply_each_event_once(session: Session, sessions, settings, providers, order, tells) -> None:
    with working(sessions, settings, providers), working(sessions, settings, providers):
        for number in range(10):
            tells("paid", order.id, payment="pay_1", event_id=f"evt_{number}")
        assert until(lambda: again(session, order).state == "paid")

    assert wallet_minor(session, order.customer_id) == 5000


def test_once_does_all_that_is_due_and_says_how_much(
    session: Session, sessions, settings, providers, fake, order, tells, clock
) -> None:
    page = str(order.provider_ref)
    fake.heard[page] = heard(told("completed_paid", order.id, event_id=f"poll:{page}:paid"))
    tells("other", None)
    clock.advance(minutes=3)

    did = worker.run_once(sessions, settings, providers)

    assert (did["sweep"], did["events"]) == (1, 2), "what the sweep found is applied in the same run"
    assert wallet_minor(session, order.customer_id) == 5000
    later = worker.run_once(sessions, settings, providers)
    assert (later["sweep"], later["events"], later["mail"]) == (0, 0, 0)


def test_a_task_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    runs, stop = [], threading.Event()

    def run() -> int:
        runs.append(1)
        if len(runs) >= 4:
            stop.set()
        raise RuntimeError("the disk is full")

    process._repeat(Task("broken", run, 0.001, 0.002), stop)

    assert len(runs) == 4
    assert "the worker's task broken failed" in caplog.text


def test_the_pause_grows_while_there_is_nothing_and_shrinks_when_there_is() -> None:
    pauses: list[float] = []
    results = iter([0, 0, 0, 0, 5, 0, 0])
    stop = threading.Event()

    def wake(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    def run() -> int:
        found = next(results, None)
        if found is None:
            stop.set()
        return found or 0

    process._repeat(Task("t", run, 0.2, 1.0, wake), stop)

    assert pauses[:6] == [0.2, 0.4, 0.8, 1.0, 0.2, 0.4]


def test_every_task_has_a_pause_and_a_name(sessions, settings: Settings) -> None:
    found = tasks(sessions, settings, {})

    names = "reconcile events mail hooks renewals credits moves usage sweep calls wallets top_ups refunds disputes"
    assert [task.name for task in found] == [*names.split(), "sums", "audit", "log"]
    assert all(0 < task.shortest <= task.longest for task in found)
    assert found[1].longest <= 1, "a webhook kept by another process is applied within a second"
