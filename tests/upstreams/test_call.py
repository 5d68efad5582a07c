"""Calling each upstream over real HTTP: whole and streamed, in its own words, broken off at every point."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from app.upstreams.client import Client, Stream
from app.upstreams.errors import Broken, Busy, Failed, KeyRefused, Refused, TimedOut, Unavailable
from app.upstreams.usage import Usage
from tests.support.llm_double import KEYS, MODELS, LlmDouble, Point, Script
from tests.upstreams.conftest import Calling

UPSTREAMS = sorted(MODELS)
PROMPT = 4 + 3 + 4 + 4  # two messages of 9 and 13 bytes
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


def chunks_of(events: list[bytes]) -> list[Any]:
    assert all(event.startswith(b"data: ") and event.endswith(b"\n\n") for event in events)
    return [json.loads(event[6:]) for event in events if event != b"data: [DONE]\n\n"]


def said(chunks: list[Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def read(stream: Stream) -> list[bytes]:
    return list(stream)


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_a_whole_answer_is_openais_with_the_upstreams_usage(
    calling: Calling, llm_double: LlmDouble, upstream: str
) -> None:
    llm_double.plays(Script(cached=4, reasoning=2))

    whole = calling.whole(upstream)

    bill = llm_double.visit(0).bill
    assert whole.usage is not None
    assert (whole.usage.prompt, whole.usage.completion, whole.usage.cached) == (PROMPT, 8, 4)
    assert (bill.prompt, bill.completion, bill.cached) == (PROMPT, 8, 4)
    assert whole.answer["object"] == "chat.completion"
    assert whole.answer["choices"][0]["message"]["content"] == "One two three four five six "
    assert whole.answer["choices"][0]["finish_reason"] == "stop"
    assert whole.answer["usage"]["prompt_tokens"] == PROMPT
    assert whole.request_id in ("req-9", "resp-9")


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_a_stream_is_openais_events(calling: Calling, llm_double: LlmDouble, upstream: str, wanted: bool) -> None:
    llm_double.plays(Script(cached=4))
    more = {"stream_options": {"include_usage": True}} if wanted else {}

    stream = calling.stream(upstream, **more)
    events = read(stream)

    chunks = chunks_of(events)
    assert events[-1] == b"data: [DONE]\n\n"
    assert events.count(events[-1]) == 1
    assert said(chunks) == "One two three four five six "
    assert [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"]] == [
        "stop"
    ]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert len([chunk for chunk in chunks if chunk.get("usage")]) == (1 if wanted or upstream == "openrouter" else 0)
    told = stream.so_far(0)
    assert (told.prompt, told.completion, told.cached) == (PROMPT, 6, 4)


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_an_answer_is_no_longer_than_asked(calling: Calling, llm_double: LlmDouble, upstream: str) -> None:
    whole, stream = calling.whole(upstream, 2), calling.stream(upstream, 2)

    assert whole.answer["choices"][0]["finish_reason"] == "length"
    assert said(chunks_of(read(stream))) == "One two "
    assert stream.so_far(0).completion == 2


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_tools_are_called_and_answered(calling: Calling, llm_double: LlmDouble, upstream: str) -> None:
    script = Script(words=("Wait. ",), tool=("look_up", ('{"word":', ' "äh"}')))
    llm_double.plays(script, script)

    whole, stream = calling.whole(upstream, tools=[TOOL]), calling.stream(upstream, tools=[TOOL])
    message = whole.answer["choices"][0]["message"]
    pieces = [
        call
        for chunk in chunks_of(read(stream))
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls", ())
    ]

    assert whole.answer["choices"][0]["finish_reason"] == "tool_calls"
    assert message["content"] == "Wait. "
    assert message["tool_calls"][0]["function"]["name"] == pieces[0]["function"]["name"] == "look_up"
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"word": "äh"}
    assert json.loads("".join(piece["function"]["arguments"] for piece in pieces)) == {"word": "äh"}
    assert stream.so_far(0).completion == llm_double.visit(1).bill.completion == 4

    # The answer goes back as it came, with what the tool said.
    answered = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "a sound"}
    conversation = [{"role": "user", "content": "What is äh?"}, message, answered, answered]
    assert calling.whole(upstream, messages=conversation, tools=[TOOL]).usage is not None


def test_what_openrouter_charged_is_kept_to_the_last_digit(calling: Calling, llm_double: LlmDouble) -> None:
    llm_double.plays(*[Script(discount=Decimal("0.9"))] * 2)

    whole, stream = calling.whole("openrouter"), calling.stream("openrouter")
    read(stream)

    assert whole.usage is not None
    assert whole.usage.told_cost == stream.so_far(0).told_cost == llm_double.visit(0).bill.dollars


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("point", Point)
def test_an_upstream_that_breaks_off_is_told_as_a_fault(
    client_of: Callable[..., Client], llm_double: LlmDouble, upstream: str, point: Point
) -> None:
    calling = Calling(client_of(seconds=0.2 if point == Point.STALL else 20))
    llm_double.plays(*[Script(at=point, side="upstream")] * 2)

    if point == Point.BEFORE_DONE:  # nothing is missing but the good-bye
        stream = calling.stream(upstream)
        assert read(stream)[-1] == b"data: [DONE]\n\n"
        assert stream.so_far(0).completion == llm_double.visit(0).bill.completion == 6
        return

    with pytest.raises(TimedOut if point == Point.STALL else (Broken, Unavailable)):
        read(calling.stream(upstream))
    with pytest.raises(TimedOut if point == Point.STALL else (Broken, Unavailable)):
        calling.whole(upstream)
    assert llm_double.micros == 0


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("point", [point for point in Point if point != Point.BEFORE_HEADERS])
def test_who_leaves_knows_what_to_pay(calling: Calling, llm_double: LlmDouble, upstream: str, point: Point) -> None:
    llm_double.plays(Script(at=point, side="client"))
    stream = calling.stream(upstream, stream_options={"include_usage": True})
    visit = llm_double.visit(0)
    events = iter(stream)

    visit.arrives()
    while stream.reader.deltas < visit.streamed or (point == Point.BEFORE_DONE and not stream.reader.finished):
        next(events)  # what was sent before the point is on its way
    stream.close()
    visit.is_over()

    bill, told = visit.bill, stream.so_far(PROMPT)
    assert visit.ending == "left"
    assert (told.prompt, told.completion) == (bill.prompt, bill.completion)


@pytest.mark.parametrize("upstream", UPSTREAMS)
def test_an_error_within_a_stream_is_no_answer(calling: Calling, llm_double: LlmDouble, upstream: str) -> None:
    llm_double.plays(Script(at=Point.MID, side="error", message=f"Overloaded, {KEYS[upstream]}"))

    with pytest.raises(Failed) as failed:
        read(calling.stream(upstream))

    assert KEYS[upstream] not in str(failed.value)
    assert llm_double.micros == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (404, Refused),
        (401, KeyRefused),
        (402, KeyRefused),
        (429, Busy),
        (529, Busy),
        (500, Unavailable),
        (503, Unavailable),
        (307, Unavailable),
    ],
)
def test_each_status_is_a_fault_of_its_own(
    calling: Calling, llm_double: LlmDouble, status: int, kind: type[Exception]
) -> None:
    upstream = UPSTREAMS[status % len(UPSTREAMS)]  # it is the same for each
    llm_double.plays(Script(status=status, message="max_tokens is too large", location="http://127.0.0.1:1/"))

    with pytest.raises(kind) as refused:
        calling.stream(upstream)

    assert ("max_tokens is too large" in str(refused.value)) == (kind is Refused)
    assert len(llm_double.visits) == 1  # a redirect is not followed


def test_a_key_that_an_upstream_repeats_is_not_shown(calling: Calling, llm_double: LlmDouble) -> None:
    llm_double.plays(Script(status=400, message=f"Bad key {KEYS['openai'][:4]}…{KEYS['openai'][-9:]}"))

    with pytest.raises(Refused) as refused:
        calling.whole("openai")

    assert str(refused.value) == "The upstream refused the request."


# The last two are numbers to Python alone.
NO_ANSWERS = [b"", b"[]", b"<html>", b'{"choices": []}', b"data: {]\n\n", b"\xff" * 100]
NO_ANSWERS += [
    b'{"choices": [{"message": {"content": "a"}, "logprobs": %s}], "usage": {"prompt_tokens": 1}}' % number
    for number in (b"NaN", b"1e999")
]


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("raw", NO_ANSWERS)
def test_what_is_no_answer_is_not_taken_for_one(
    calling: Calling, llm_double: LlmDouble, upstream: str, raw: bytes
) -> None:
    llm_double.plays(*[Script(raw=raw)] * 2)

    with pytest.raises((Broken, Failed)):
        calling.whole(upstream)
    with pytest.raises((Broken, Failed)):
        read(calling.stream(upstream))


def test_an_answer_without_end_is_cut(calling: Calling, llm_double: LlmDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.upstreams.client.LARGEST_ANSWER", 200)
    monkeypatch.setattr("app.upstreams.client.LARGEST_STREAM", 200)

    with pytest.raises(Broken):
        calling.whole("openai")
    with pytest.raises(Broken):
        read(calling.stream("openai"))


def test_nothing_of_the_caller_goes_on_but_its_trace(calling: Calling, llm_double: LlmDouble) -> None:
    given = {
        "Authorization": "Bearer pur_live_secret",
        "Cookie": "session=1",
        "X-Api-Key": "mine",
        "Host": "elsewhere.example.com",
        "Connection": "close",
        "X-Forwarded-For": "10.0.0.1",
        "Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "Tracestate": "bad\nheader: 1",
    }

    calling.whole("openai", headers=given)
    calling.whole("openai")

    first, second = (visit.headers for visit in llm_double.visits)
    assert first["authorization"] == f"Bearer {KEYS['openai']}"
    assert first["traceparent"] == given["Traceparent"]
    assert {"cookie", "x-api-key", "x-forwarded-for", "tracestate"} & set(first) == set()
    assert first["host"].startswith("127.0.0.1")
    assert "cookie" not in second  # which the answer to the first had set


def test_a_stream_that_tells_no_usage_is_counted(calling: Calling, llm_double: LlmDouble) -> None:
    llm_double.plays(Script(tells_usage=False))

    stream = calling.stream("openai")
    read(stream)

    assert stream.so_far(PROMPT) == Usage(PROMPT, 6)
