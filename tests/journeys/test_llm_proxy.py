"""A real server in the middle of a stream: its reader leaves, or kill -9 ends it (SPEC L3, R2)."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import ledger
from app.customers import api_keys
from app.db import transaction
from app.flows import audit_books
from app.llm.models import LlmCall
from tests.support.llm_double import LlmDouble, Point, Script
from tests.support.people import Person
from tests.support.proxying import body_of
from tests.support.running import Program, free_port, wait_until_ready

pytestmark = [pytest.mark.slow, pytest.mark.real_time]

SECONDS = 10  # a call may take
SECRET = "of-the-proxy-test-only-and-nowhere-else"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def key(session: Session, ada: Person) -> str:
    with transaction(session):
        return api_keys.create_service_key(session, name="The host")[1]


@pytest.fixture
def start(start_program: Callable[..., Program], database_url: str, tmp_path: Path, llm_double: LlmDouble):
    """Starts `purser <words>` on this test's database, with the double for upstreams."""
    variables = {
        "PURSER_ENV": "test",
        "PURSER_DATABASE_URL": database_url,
        "PURSER_SECRET_KEY": SECRET,
        "PURSER_CLOCK_FILE": str(tmp_path / "clock"),
        "PURSER_LLM_TIMEOUT": str(SECONDS),
        **llm_double.environ(),
    }
    return lambda *words, base_url="": start_program(*words, base_url=base_url, **variables)


@pytest.fixture
def web(start: Callable[..., Program]) -> Program:
    port = free_port()
    program = start("serve", "--port", str(port), "--workers", "1", base_url=f"http://127.0.0.1:{port}")
    wait_until_ready(program)
    return program


def test_a_server_in_mid_stream(web, start, session, ada, key, llm_double, tmp_path):
    # Its reader leaves: it notices when it has something to send, and what was streamed is paid.
    llm_double.plays(Script(at=Point.MID))
    begins_to_read(web, key, ada, llm_double, 0).close()
    llm_double.visit(0).goes_on()
    left = until(lambda: the_calls(session)[0], lambda call: call.state != "held")

    assert (left.state, left.outcome, left.prompt_tokens) == ("settled", "billed", 15)
    assert 3 <= left.completion_tokens <= 6
    paid = ada.balance()

    # It is killed: what was held is still held, and the upstream has been hung up on.
    llm_double.plays(Script(at=Point.MID))
    reader = begins_to_read(web, key, ada, llm_double, 1)
    web.kill()
    llm_double.visit(1).is_over()
    reader.close()

    assert llm_double.visit(1).ending == "left"
    call = the_calls(session)[1]
    assert (call.state, ledger.balance(session, ada.wallet).held) == ("held", call.held_micros)

    # A minute after the hold has run out the worker has long ended it.
    (tmp_path / "clock").write_text(str(int((call.expires_at - call.started_at).total_seconds()) + 60))
    worker = start("work", "--once")
    assert worker.process.wait(60) == 0, worker.printed

    ended = the_calls(session)[1]
    assert (ended.state, ended.outcome, ended.cost_micros) == ("expired", "abandoned", 0)
    assert (ada.balance(), ledger.balance(session, ada.wallet).held) == (paid, 0)
    assert audit_books.audit(session, full=True).faults == []


def begins_to_read(web: Program, key: str, who: Person, double: LlmDouble, number: int) -> http.client.HTTPConnection:
    """A stream that is read as far as the double, at its request of this number, has come."""
    connection = http.client.HTTPConnection(web.base_url.removeprefix("http://"), timeout=30)
    headers = {"Authorization": f"Bearer {key}", "Purser-Customer": who.customer_id, "Content-Type": "application/json"}
    connection.request("POST", "/api/llm/proxy", json.dumps(body_of("openai", stream=True)), headers)
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    visit, tokens = double.visit(number), 0
    visit.arrives()
    while tokens < visit.streamed:
        line = answer.readline()
        assert line, "the stream ended"
        tokens += b'"content":"' in line.replace(b" ", b"") and b'"content":""' not in line.replace(b" ", b"")
    return connection


def the_calls(session: Session) -> list[LlmCall]:
    session.rollback()
    session.expire_all()
    return list(session.scalars(select(LlmCall).order_by(LlmCall.started_at)))


def until(look: Callable[[], LlmCall], right: Callable[[LlmCall], bool], seconds: int = 30) -> LlmCall:
    end = time.monotonic() + seconds
    while not right(found := look()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)
    return found
