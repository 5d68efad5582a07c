"""The programs that run until they are stopped, as real processes: serve, work and demo."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli import story
from app.customers.customers import open_customer
from app.customers.models import Customer
from app.db import make_engine, transaction
from tests.support.running import free_port, wait_until_ready

pytestmark = [pytest.mark.slow, pytest.mark.real_time]

SETTINGS = {"PURSER_ENV": "test", "PURSER_SECRET_KEY": "of-these-tests-only-and-nowhere-else-at-all"}


def fetch(address: str) -> tuple[int, str]:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.status, answer.read().decode()


def ends_cleanly(program) -> bool:
    """Whether it ends by itself, with exit code 0, when it is asked to, as a service manager asks."""
    program.process.send_signal(signal.SIGTERM)
    return program.process.wait(60) == 0


def start_demo(start_program, port: int, directory: Path, *more: str, **variables: str):
    return start_program(
        "demo",
        "--port",
        str(port),
        *more,
        base_url=f"http://127.0.0.1:{port}",
        PURSER_DEMO_DIRECTORY=str(directory),
        **variables,
    )


def test_serve_answers_and_ends_cleanly(cold_start, sqlite_url):
    port = free_port()
    program = cold_start(
        "serve",
        "--port",
        str(port),
        "--json",
        base_url=f"http://127.0.0.1:{port}",
        PURSER_DATABASE_URL=sqlite_url,
        **SETTINGS,
    )

    wait_until_ready(program)

    assert fetch(program.base_url + "/sign-in")[0] == 200
    assert ends_cleanly(program)
    assert json.loads(program.printed.splitlines()[0])["listening"] == program.base_url


def test_serve_says_when_the_port_is_taken(start_program, sqlite_url):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        program = start_program("serve", "--port", str(port), PURSER_DATABASE_URL=sqlite_url, **SETTINGS)

        assert program.process.wait(60) == 2
        assert program.printed.strip().splitlines() == [
            f"Something listens on port {port} of 127.0.0.1 already; stop it or give another port with --port."
        ]


def test_work_runs_and_ends_cleanly(cold_start, sqlite_url):
    program = cold_start("work", PURSER_DATABASE_URL=sqlite_url, **SETTINGS)

    while "The worker has started." not in program.printed:
        assert program.process.poll() is None, program.printed
        time.sleep(0.05)

    assert ends_cleanly(program)


def test_the_demo_from_its_first_start_to_its_reset(cold_start, start_program, tmp_path):
    """One story, as filling a demo takes its time: it starts, stops, goes on where it was, and starts over."""
    place = tmp_path / "demo"
    first = start_demo(cold_start, free_port(), place)
    wait_until_ready(first)

    assert fetch(first.base_url + "/sign-in")[0] == 200
    assert fetch(first.base_url + "/sandbox/")[0] == 200
    for words in (first.base_url, story.PASSWORD, "pur_live_", *(person.email for person in story.EVERYONE)):
        assert words in first.printed, words
    assert ends_cleanly(first)
    assert (place / "demo.json").stat().st_mode & 0o077 == 0

    second = start_demo(start_program, free_port(), place)
    wait_until_ready(second)
    assert key_shown_by(second) == key_shown_by(first)

    # What runs is not reset under its feet.
    other = start_demo(start_program, free_port(), place, "--reset")
    assert other.process.wait(60) == 2
    assert f"A demo runs in {place} already, at {second.base_url}." in other.printed
    assert fetch(second.base_url + "/sandbox/")[0] == 200
    assert ends_cleanly(second)

    reset = start_demo(start_program, free_port(), place, "--reset")
    wait_until_ready(reset)
    assert ends_cleanly(reset)
    assert key_shown_by(reset) != key_shown_by(first)


def key_shown_by(demo):
    return re.findall(r"pur_live_\w+", demo.printed)[0]


def test_reset_empties_the_demos_own_database_on_a_server(start_program, tmp_path, pg_url):
    def ids_after_start(*more: str) -> set[str]:
        program = start_demo(start_program, free_port(), tmp_path / "demo", *more, PURSER_DATABASE_URL=pg_url)
        wait_until_ready(program)
        assert ends_cleanly(program)
        engine = make_engine(pg_url)
        with Session(engine) as session:
            found = set(session.scalars(select(Customer.id)))
        engine.dispose()
        return found

    first, reset = ids_after_start(), ids_after_start("--reset")

    assert len(first) == len(reset) == 3
    assert first.isdisjoint(reset)


def test_the_demo_leaves_a_database_alone_that_no_demo_made(start_program, tmp_path, sqlite_url, session_with_customer):
    program = start_demo(start_program, free_port(), tmp_path / "demo", PURSER_DATABASE_URL=sqlite_url)

    assert program.process.wait(60) == 2
    assert program.printed.strip() == (
        "PURSER_DATABASE_URL names a database with customers that no demo made; name another."
    )


def test_reset_leaves_a_directory_alone_that_no_demo_made(start_program, tmp_path):
    precious = tmp_path / "demo" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("three years of work")

    program = start_demo(start_program, free_port(), tmp_path / "demo", "--reset")

    assert program.process.wait(60) == 2
    assert precious.exists()


@pytest.fixture
def session_with_customer(sqlite_url):
    engine = make_engine(sqlite_url)
    with Session(engine, expire_on_commit=False) as session, transaction(session):
        open_customer(session, name="Somebody's own", email="a@example.com", actor="system")
    engine.dispose()
