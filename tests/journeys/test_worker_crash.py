"""A worker that is killed between receiving a webhook and applying it: the next one applies it, once (SPEC R3, V2)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine, text

from app import clock
from app.sandbox import SandboxConfig
from app.sandbox.server import Running, running_sandbox
from tests.journeys.conftest import GIFT, PAYS, Person
from tests.support.running import Program, free_port, wait_until_ready

KEY, SECRET = "sk_test_" + "4f" * 12, "whsec_" + "9b" * 16

pytestmark = pytest.mark.slow


@pytest.fixture
def base_url() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def sandbox(tmp_path: Path, base_url: str) -> Iterator[Running]:
    """A sandbox beside the program, whose events go to the program's own address."""
    config = SandboxConfig(
        database=tmp_path / "sandbox.db",
        secret_key=KEY,
        webhook_url=base_url + "/payment/webhook/stripe",
        webhook_secret=SECRET,
    )
    with running_sandbox(config) as running:
        yield running


@pytest.fixture
def start(
    start_program: Callable[..., Program], sandbox: Running, database_url: str, base_url: str
) -> Callable[..., Program]:
    """Starts `purser <words>` as production does, each part a process of its own, paid through the sandbox."""

    def begin(*words: str) -> Program:
        return start_program(
            *words,
            base_url=base_url if words[0] == "serve" else "",
            PURSER_ENV="production",
            PURSER_SECRET_KEY="for this test alone " * 3,
            PURSER_BASE_URL=base_url,
            PURSER_DATABASE_URL=database_url,
            STRIPE_SECRET_KEY=KEY,
            STRIPE_WEBHOOK_SECRET=SECRET,
            STRIPE_API_BASE=sandbox.url,
        )

    return begin


def test_a_top_up_survives_the_worker_that_was_to_apply_it(
    page: Page, start: Callable[..., Program], base_url: str, engine: Engine
) -> None:
    web = start("serve", "--port", base_url.rpartition(":")[2], "--workers", "1")
    wait_until_ready(web)
    first = start("work")
    nora = Person(page, base_url, javascript=True)
    nora.signs_up()
    os.killpg(first.process.pid, signal.SIGSTOP)  # it has read the inbox as empty, and gets no further

    nora.asks_to_top_up("50")
    nora.pays_with(PAYS)
    _until(lambda: _count(engine, "state = 'pending'") > 0)
    waiting = nora.page.url
    nora.sees_balance(GIFT)
    # Ended before its work; test_kill.py ends workers in the middle of theirs, and waits for what they had claimed.
    first.kill()
    start("work")
    nora.page.goto(waiting)

    nora.waits_for("is in your wallet")
    nora.sees_balance(50 + GIFT)
    _until(lambda: _count(engine, "state = 'pending'") == 0)
    assert _count(engine, "state = 'dead'") == 0


def _count(engine: Engine, where: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM provider_event WHERE {where}")).scalar_one())


def _until(condition: Callable[[], bool], seconds: int = 150) -> None:
    end = clock.now().timestamp() + seconds
    while not condition():
        assert clock.now().timestamp() < end, "it did not happen"
        time.sleep(0.1)
