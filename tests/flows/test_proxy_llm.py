"""Model calls through the proxy: whatever breaks off, and wherever, the wallet pays what the upstream bills."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import ledger
from app.db import transaction
from app.errors import Conflict, WalletFrozen
from app.flows import proxy_llm
from app.flows.proxy_llm import Caller, Proxy, Streamed
from app.llm.models import LlmCall
from app.llm.refusals import UpstreamBusy, UpstreamFailed, UpstreamRefused, UpstreamTimeout, WalletEmpty
from app.upstreams.chat import ChatRequest
from app.upstreams.client import Client
from app.upstreams.errors import TimedOut
from app.upstreams.routing import UnknownModel
from tests.support.llm_double import MODELS, LlmDouble, Point, Script
from tests.support.people import Person
from tests.support.proxying import body_of

UPSTREAMS = sorted(MODELS)
POINTS = [point for point in Point if point != Point.STALL]
UNNOTICED = (Point.BEFORE_HEADERS, Point.AFTER_HEADERS)  # nothing was sent yet by which a server would know


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def ask(proxy: Proxy, ada: Person) -> Callable[..., object]:
    """A call of Ada's: `ask("openai")` whole, `ask("openai", stream=True)` streamed."""

    def call(upstream: str, **more: object) -> object:
        key = more.pop("key", None)
        request = ChatRequest.model_validate(body_of(upstream, **more))
        kind = proxy_llm.stream if request.stream else proxy_llm.whole
        return kind(proxy, Caller(ada.customer_id, "key_1", key), request)

    return call


@pytest.fixture
def pays(session: Session, ada: Person, llm_double: LlmDouble) -> Callable[[], int]:
    """What Ada's wallet has paid, which is the double's own bill and what is kept of the calls, with nothing held."""
    start = ada.balance()

    def paid() -> int:
        assert ada.balance() == start - llm_double.micros
        assert ledger.balance(session, ada.wallet).held == 0
        rows = list(session.scalars(select(LlmCall)))
        assert sum(row.cost_micros for row in rows) == start - ada.balance()
        assert {row.state for row in rows} <= {"settled", "released"}
        return start - ada.balance()

    return paid


def calls(session: Session) -> list[LlmCall]:
    session.rollback()
    return list(session.scalars(select(LlmCall).order_by(LlmCall.started_at, LlmCall.id)))


def content(events: list[bytes]) -> int:
    """How many events have something written in them."""
    chunks = [json.loads(each[6:]) for each in events if each != b"data: [DONE]\n\n"]
    return sum(bool(choice["delta"].get("content")) for chunk in chunks for choice in chunk.get("choices", ()))


def read_until(streamed: Streamed, tokens: int) -> list[bytes]:
    """The events up to so many tokens."""
    events: list[bytes] = []
    while content(events) < tokens:
        events.append(next(streamed))
    return events


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_costs_what_its_upstream_bills(ask, pays, session, llm_double, upstream, stream):
    llm_double.plays(Script(cached=4, reasoning=2))

    told = ask(upstream, stream=stream)
    if stream:
        assert content(list(told)) == 6

    assert pays() > 0
    [call] = calls(session)
    assert (call.upstream, call.outcome, call.counted, call.stream) == (upstream, "billed", False, stream)
    assert (call.prompt_tokens, call.completion_tokens, call.cached_tokens) == (15, 8, 4)
    assert call.upstream_request_id == "req-9"


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_who_leaves_a_stream_pays_the_input_and_what_was_streamed(ask, pays, llm_double, upstream):
    before = 0
    for number, point in enumerate(POINTS):
        llm_double.plays(Script(at=point, side="client"))
        if point in UNNOTICED:
            _goes_on_alone(ask, upstream, llm_double, number, stream=True)
        else:
            streamed = ask(upstream, stream=True)
            llm_double.visit(number).arrives()
            read_until(streamed, llm_double.visit(number).streamed)
            streamed.close()
            streamed.close()

        paid, before = pays() - before, pays()
        assert paid == llm_double.visit(number).bill.micros > 0, point
        assert llm_double.visit(number).ending == ("whole" if point in UNNOTICED else "left"), point


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_an_upstream_that_breaks_a_stream_off_charges_nothing(ask, pays, session, llm_double, upstream):
    for point in [point for point in POINTS if point != Point.BEFORE_DONE]:
        llm_double.plays(Script(at=point, side="upstream"))
        try:
            *_, last = ask(upstream, stream=True)
        except UpstreamFailed:
            last = b""

        assert pays() == 0, point
        assert last == b"" or json.loads(last[6:])["error"]["code"] == "upstream-failed", point
    assert {(call.state, call.outcome) for call in calls(session)} == {("released", "released")}


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_a_stream_without_its_good_bye_was_whole(ask, pays, llm_double, upstream):
    llm_double.plays(Script(at=Point.BEFORE_DONE, side="upstream"))

    *_, last = ask(upstream, stream=True)

    assert (pays() > 0, last) == (True, b"data: [DONE]\n\n")


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_a_whole_answer_is_paid_or_costs_nothing_wherever_it_breaks_off(ask, pays, llm_double, upstream):
    before, number = 0, 0
    for point in POINTS:
        llm_double.plays(Script(at=point, side="client"))
        _goes_on_alone(ask, upstream, llm_double, number)  # nobody sees them leave; the answer is made all the same
        llm_double.plays(Script(at=point, side="upstream"))
        try:
            failed = not ask(upstream)
        except UpstreamFailed:
            failed = True

        paid, before = pays() - before, pays()
        bills = [llm_double.visit(number).bill.micros, llm_double.visit(number + 1).bill.micros]
        assert (paid, failed) == (sum(bills), point != Point.BEFORE_DONE), point
        assert (bills[0] > 0, bills[1] == 0) == (True, failed), point
        number += 2


def _goes_on_alone(
    ask: Callable[..., object], upstream: str, double: LlmDouble, number: int, *, stream: bool = False
) -> None:
    """Somebody leaves where no server could see it, so that the call comes to its end."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, upstream, stream=stream)
        double.visit(number).arrives()
        double.visit(number).goes_on()
        list(asked.result())


def test_silence_costs_nothing(proxy, pays, ada, llm_double, line):
    llm_double.plays(Script(at=Point.STALL, side="upstream"))
    impatient = Client(line.upstreams, seconds=1)
    short = replace(proxy, client=impatient)
    request = ChatRequest.model_validate(body_of("openai", stream=True))

    *_, last = proxy_llm.stream(short, Caller(ada.customer_id, "key_1"), request)
    impatient.close()

    assert json.loads(last[6:])["error"]["code"] == UpstreamTimeout.code
    assert pays() == 0


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_an_error_within_a_stream_costs_nothing(ask, pays, llm_double, upstream):
    llm_double.plays(Script(at=Point.MID, side="error"), Script(at=Point.AFTER_HEADERS, side="error"))

    *_, last = ask(upstream, stream=True)
    with pytest.raises(UpstreamFailed):
        ask(upstream, stream=True)

    assert json.loads(last[6:])["error"]["code"] == "upstream-failed"
    assert pays() == 0


@pytest.mark.parametrize(
    ("status", "refusal"),
    [(400, UpstreamRefused), (429, UpstreamBusy), (401, UpstreamFailed), (500, UpstreamFailed), (302, UpstreamFailed)],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_refusal_upstream_costs_nothing(ask, pays, llm_double, status, refusal, stream):
    llm_double.plays(Script(status=status, location="http://127.0.0.1:9/"))

    with pytest.raises(refusal) as told:
        ask("openai", stream=stream)

    assert told.value.details["upstream"] == "openai"
    assert pays() == 0


def test_an_answer_without_usage_is_counted(ask, pays, session, llm_double):
    llm_double.plays(Script(tells_usage=False))

    list(ask("openai", stream=True))

    assert pays() > 0
    assert [(call.counted, call.prompt_tokens, call.completion_tokens) for call in calls(session)] == [(True, 15, 6)]


@pytest.mark.parametrize("usage", ["null", '{"prompt_tokens":0,"completion_tokens":0}', '{"prompt_tokens":-5}'])
@pytest.mark.parametrize("message", ['{"role":"assistant","content":"Hello there"}', '"Hello there"'])
def test_an_answer_whose_usage_is_nothing_is_counted(ask, session, llm_double, usage, message):
    choice = f'{{"index":0,"finish_reason":"stop","message":{message}}}'
    llm_double.plays(Script(raw=f'{{"id":"a","choices":[{choice}],"usage":{usage}}}'.encode()))

    ask("openai")

    [call] = calls(session)
    assert (call.state, call.counted, call.prompt_tokens) == ("settled", True, 15)
    assert call.cost_micros > 0


def test_half_a_character_is_no_fault_of_ours(ask, pays):
    tool = {"type": "function", "function": {"name": "a", "parameters": {"description": "\ud800"}}}

    ask("openai", tools=[tool], key="half")

    assert pays() > 0


def test_a_slow_reader_pays_for_what_was_written_until_the_time_was_over(proxy, ask, pays, llm_double):
    llm_double.plays(Script(at=Point.MID, side="client"))
    streamed = ask("openai", stream=True)
    llm_double.visit(0).arrives()
    read_until(streamed, llm_double.visit(0).streamed)

    streamed._kept_waiting = proxy.client.seconds  # nobody took what there was
    streamed._events = _out_of_time()
    *_, last = streamed
    streamed.close()

    assert json.loads(last[6:])["error"]["code"] == UpstreamTimeout.code
    assert pays() > 0


def test_nothing_goes_upstream_for_an_empty_wallet(ask, ada, session, llm_double):
    everything = ada.balance()
    with transaction(session):
        ledger.hold(session, ada.wallet, everything, key="all", expires_at=_later())

    for stream in (False, True):
        with pytest.raises(WalletEmpty):
            ask("openai", stream=stream)

    assert llm_double.visits == []
    assert calls(session) == []


def test_nothing_goes_upstream_from_a_frozen_wallet_or_for_an_unknown_model(ask, ada, session, llm_double):
    with pytest.raises(UnknownModel):
        ask("openai", model="gpt-4o-of-nobody")
    everything = ada.balance()
    with transaction(session):
        ledger.hold(session, ada.wallet, everything, key="all", expires_at=_later())
        ledger.freeze(session, ada.wallet)
    with pytest.raises(WalletFrozen):
        ask("openai")

    assert llm_double.visits == []


def test_a_wallet_that_is_short_asks_for_a_shorter_answer(ask, ada, session, llm_double):
    everything = ada.balance()
    with transaction(session):
        ledger.hold(session, ada.wallet, everything - 1_000, key="most", expires_at=_later())

    ask("openai", max_tokens=5_000)

    assert 6 < llm_double.visit(0).json["max_completion_tokens"] < 100
    assert calls(session)[0].cost_micros == llm_double.micros > 0


def test_a_key_streams_once(ask, session, llm_double):
    list(ask("openai", stream=True, key="k"))

    with pytest.raises(Conflict) as refused:
        ask("openai", stream=True, key="k")

    assert refused.value.details == {"call_id": calls(session)[0].id}
    assert len(llm_double.visits) == 1


def test_a_settlement_waits_for_a_locked_database(ask, pays, proxy, engine, monkeypatch):
    monkeypatch.setattr(proxy_llm, "_PAUSES", (0, 0, 0))
    broken = _breaks_settlements(engine, times=2)

    ask("openai")

    assert len(broken) == 2
    assert pays() > 0


def _breaks_settlements(engine: Engine, *, times: int) -> list[str]:
    """The next writes to a call's row find the database locked; what was broken."""
    broken: list[str] = []

    def locked(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE llm_call") and len(broken) < times:
            broken.append(statement)
            raise OperationalError(statement, None, sqlite3.OperationalError("database is locked"))

    event.listen(engine, "before_cursor_execute", locked)
    return broken


def _out_of_time() -> Iterator[bytes]:
    raise TimedOut("The upstream took too long.")
    yield


def _later() -> datetime:
    return the_clock.now() + timedelta(hours=1)
