"""POST /api/llm/proxy"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, ledger
from app.api.llm_proxy import ChatCompletionRequest
from app.api.schemas import example_of, of_bodies_and_answers
from app.customers import api_keys
from app.db import transaction
from app.llm.models import LlmCall, LlmDay
from tests.support.llm_double import KEYS, LlmDouble, Point, Script
from tests.support.people import Person
from tests.support.plans import offer
from tests.support.programs import Program, error
from tests.support.proxying import body_of

PATH = "/api/llm/proxy"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def adas(proxied: Flask, ada: Person) -> Program:
    return Program(proxied, ada.key())


def calls(session: Session) -> list[LlmCall]:
    session.rollback()
    return list(session.scalars(select(LlmCall)))


def test_it_answers_as_openai_does_and_takes_what_it_cost(adas: Program, ada: Person, session, llm_double) -> None:
    start = ada.balance()

    answer = adas.post(PATH, body_of("anthropic"))

    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    told = answer.get_json()
    assert told["object"] == "chat.completion"
    assert told["choices"][0]["message"]["content"] == "One two three four five six "
    assert told["usage"]["total_tokens"] == 21
    [call] = calls(session)
    assert answer.headers["Purser-Call"] == call.id
    assert start - ada.balance() == llm_double.micros == call.cost_micros > 0


def test_a_stream_passes_through_as_it_comes(adas: Program, session, llm_double: LlmDouble) -> None:
    llm_double.plays(Script(at=Point.MID))

    answer = adas._client().post(PATH, json=body_of("openai", stream=True), headers=adas._headers(), buffered=False)
    pieces = iter(answer.response)
    first = [next(pieces) for _ in range(3)]

    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert json.loads(first[1][6:])["choices"][0]["delta"] == {"content": "One "}
    assert [call.state for call in calls(session)] == ["held"], "the upstream has not said more yet"
    llm_double.visit(0).goes_on()
    assert list(pieces)[-1] == b"data: [DONE]\n\n"
    answer.close()
    assert [call.outcome for call in calls(session)] == ["billed"]


def test_a_server_that_closes_the_answer_settles_the_call(adas: Program, ada: Person, session, llm_double) -> None:
    start = ada.balance()
    llm_double.plays(Script(at=Point.AFTER_FIRST))

    answer = adas._client().post(PATH, json=body_of("openai", stream=True), headers=adas._headers(), buffered=False)
    pieces = iter(answer.response)
    [next(pieces), next(pieces)]
    answer.close()

    assert start - ada.balance() == llm_double.micros > 0
    [call] = calls(session)
    assert (call.outcome, call.completion_tokens, call.counted) == ("billed", 1, True)


def test_nothing_of_the_caller_goes_upstream_but_the_trace(adas: Program, llm_double: LlmDouble) -> None:
    told = {
        "Cookie": "session=abc", "X_Api_Key": "mine", "X_Goog_Api_Key": "mine", "OpenAI_Organization": "org-1",
        "Forwarded": "for=10.0.0.1", "X_Forwarded_For": "10.0.0.1", "Proxy_Authorization": "Basic eDp5",
        "Connection": "X-Secret", "X_Secret": "1", "TE": "trailers", "Upgrade": "h2c", "traceparent": "00-1-2-01",
        "Idempotency_Key": "k", "Referer": "https://x.example/", "User_Agent": "them/1",
    }  # fmt: skip

    for upstream in KEYS:
        adas.post(PATH, body_of(upstream), **{**told, "Idempotency_Key": upstream})

    for visit, key in zip(llm_double.visits, KEYS.values(), strict=True):
        visit.is_over()
        sent = visit.headers
        assert sent.pop("traceparent") == "00-1-2-01"
        assert set(sent) <= {
            "host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length",
            "authorization", "x-api-key", "x-goog-api-key", "anthropic-version",
        }  # fmt: skip
        assert (sent["user-agent"], sent["connection"]) == ("purser", "keep-alive")
        assert any(key in value for value in sent.values())
        assert adas.secret not in str(sent)


def test_an_empty_wallet_is_told_so_and_nobody_is_asked(adas: Program, ada: Person, session, llm_double) -> None:
    everything = ada.balance()
    with transaction(session):
        ledger.hold(session, ada.wallet, everything, key="all", expires_at=_later())

    for stream in (False, True):
        answer = adas.post(PATH, body_of("openai", stream=stream))

        assert answer.status_code == 402
        told = error(answer)
        assert told["code"] == "wallet-empty"
        assert told["details"]["available_micros"] == 0 < told["details"]["needed_micros"]
    assert llm_double.visits == []


def test_a_frozen_wallet_calls_nobody(adas: Program, ada: Person, session, llm_double) -> None:
    with transaction(session):
        ledger.freeze(session, ada.wallet)

    answer = adas.post(PATH, body_of("openai"))

    assert (answer.status_code, error(answer)["code"]) == (403, "WALLET_FROZEN")
    assert llm_double.visits == []


@pytest.mark.parametrize(
    "model", ["gpt-4o-of-nobody", "llama", "claude-1-of-nobody", "http://10.0.0.1/gpt-4o", "gpt-4o-audio-preview"]
)
def test_an_unknown_model_is_refused_and_never_free(adas: Program, session, llm_double, model: str) -> None:
    answer = adas.post(PATH, body_of("openai") | {"model": model})

    assert answer.status_code == 422
    assert error(answer)["details"]["field"] == "model"
    assert (llm_double.visits, calls(session)) == ([], [])


def test_a_plan_s_limit_on_writes_counts(adas: Program, ada: Person, session, llm_double) -> None:
    offer(session, "agent")  # its free plan allows ten writes a minute
    about = {"name": "A test's", "permissions": ("billing:write",), "made_by": ada.id, "environment": "test"}
    with transaction(session):
        text = api_keys.create_customer_key(session, ada.customer_id, **about)[1]
    program = replace(adas, secret=text)

    statuses = [program.post(PATH, body_of("openai", max_tokens=1)).status_code for _ in range(11)]

    assert statuses == [200] * 10 + [429]
    assert len(llm_double.visits) == 10


@pytest.mark.parametrize(
    ("status", "ours", "code"),
    [
        (400, 422, "upstream-refused"),
        (429, 503, "upstream-busy"),
        (401, 502, "upstream-failed"),
        (503, 502, "upstream-failed"),
    ],
)
def test_an_upstream_that_refuses_costs_nothing(adas, ada, llm_double, status: int, ours: int, code: str) -> None:
    start = ada.balance()
    llm_double.plays(Script(status=status, message=f"Not with {KEYS['openai']}."))

    answer = adas.post(PATH, body_of("openai"), key="k")

    assert (answer.status_code, error(answer)["code"]) == (ours, code)
    assert KEYS["openai"][:8] not in answer.text
    assert ("Retry-After" in answer.headers) == (ours == 503)
    assert ada.balance() == start
    assert adas.post(PATH, body_of("openai"), key="k").status_code == 200, "nothing was paid, so the key is free"


def test_the_same_key_gets_the_first_answer_again(adas: Program, session, llm_double) -> None:
    first, again = (adas.post(PATH, body_of("google"), key="k") for _ in range(2))

    assert first.get_json() == again.get_json()
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert first.headers["Purser-Call"] == again.headers["Purser-Call"]
    assert error(adas.post(PATH, body_of("google", max_tokens=9), key="k"))["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert (len(llm_double.visits), len(calls(session))) == (1, 1)


def test_a_stream_is_not_given_twice(adas: Program, session, llm_double) -> None:
    assert adas.post(PATH, body_of("google", stream=True), key="k").status_code == 200

    again = adas.post(PATH, body_of("google", stream=True), key="k")

    assert again.status_code == 409
    assert error(again)["details"] == {"call_id": calls(session)[0].id}
    assert len(llm_double.visits) == 1


def test_a_service_key_needs_its_own_scope(adas: Program, ada: Person, session, llm_double) -> None:
    answers = []
    for scope in ("billing:write", "llm:use"):
        with transaction(session):
            text = api_keys.create_service_key(session, name=scope, scopes=(scope,))[1]
        answers.append(Program(adas.app, text, ada.customer_id).post(PATH, body_of("openai")))

    assert [answer.status_code for answer in answers] == [403, 200]
    [day] = session.scalars(select(LlmDay))
    assert (day.customer_id, day.calls) == (ada.customer_id, 1)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"base_url": "http://10.0.0.1"}, "base_url"),
        ({"api_key": "x"}, "api_key"),
        ({"n": 2}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"stream": "yes"}, "stream"),
        ({"temperature": None}, "temperature"),
    ],
)
def test_what_it_does_not_know_is_refused_by_name(adas: Program, llm_double, wrong: dict[str, Any], field: str) -> None:
    answer = adas.post(PATH, body_of("openai") | wrong)

    assert answer.status_code == 422
    assert error(answer)["details"]["field"] == field
    assert llm_double.visits == []


def test_the_example_of_the_document_is_one() -> None:
    schemas = of_bodies_and_answers()

    ChatCompletionRequest.model_validate(example_of(schemas["ChatCompletionRequest"], schemas))


def test_a_markup_is_ours(adas: Program, ada: Person, session, llm_double) -> None:
    adas.app.extensions["llm_proxy"] = replace(adas.app.extensions["llm_proxy"], markup=10)
    start = ada.balance()

    adas.post(PATH, body_of("openai"))

    cost = llm_double.micros
    [call] = calls(session)
    taken = cost + (cost * 10 + 50) // 100
    assert start - ada.balance() == call.cost_micros == taken
    line = adas.get("/v1/billing/transactions?type=llm").get_json()["transactions"][0]
    assert (line["provider_cost_micros"], line["amount_micros"]) == (cost, -taken)


def _later() -> datetime:
    return clock.now() + timedelta(hours=1)
