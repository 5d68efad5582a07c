"""What streams tell besides plain answers: thinking, filters, usage told late or twice, and pieces cut anywhere."""

from __future__ import annotations

import contextlib
import json
import random
from typing import Any

import pytest

from app.upstreams import registry
from app.upstreams.chat import ChatRequest
from app.upstreams.dialect import Order
from app.upstreams.errors import UpstreamError, readable
from app.upstreams.reader import Reader
from app.upstreams.usage import Usage
from tests.support import llm_frames
from tests.support.llm_frames import Answer, Frame

ANSWER = Answer("a-model", 20, ("Grüß ", "Gott ", "🙂"), ("look", ('{"a":', "1}")), cached=5)
FRAMES = {
    "openai": llm_frames.openai_frames,
    "anthropic": llm_frames.anthropic_frames,
    "google": llm_frames.google_frames,
}


def reader_of(upstream: str) -> Reader:
    request = ChatRequest.model_validate(
        {
            "model": "a-model",
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    )
    return registry.dialect(upstream).reader(Order(request, "a-model", 50, stream=True))


def fed(upstream: str, *events: dict[str, Any]) -> tuple[Reader, list[Any]]:
    reader = reader_of(upstream)
    out = [chunk for event in events for chunk in reader.feed(b"data: " + json.dumps(event).encode() + b"\r\n\r\n")]
    return reader, [json.loads(chunk[6:]) for chunk in out if b"[DONE]" not in chunk]


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("upstream", FRAMES)
def test_a_stream_may_come_in_pieces_of_any_size(upstream: str, size: int) -> None:
    frames: list[Frame] = list(FRAMES[upstream](ANSWER))
    raw = b": a comment\n\n" + b"".join(frame.data for frame in frames)
    reader, whole = reader_of(upstream), reader_of(upstream)

    events = [event for start in range(0, len(raw), size) for event in reader.feed(raw[start : start + size])]

    assert b"".join(events + reader.end()) == b"".join(whole.feed(raw) + whole.end())
    assert reader.so_far(0) == whole.so_far(0)
    assert reader.so_far(0).prompt == 20
    assert reader.so_far(0).completion == 6
    assert reader.so_far(0).cached == 5


def test_anthropics_thinking_is_counted_and_not_shown() -> None:
    start = {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 9, "output_tokens": 2}}}
    thought = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}}
    signed = {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "abc"}}

    reader, chunks = fed("anthropic", start, thought, thought, signed)

    assert reader.so_far(99) == Usage(9, 2)
    assert "Hm." not in json.dumps(chunks)


def test_anthropics_input_may_be_told_at_the_end_only() -> None:
    start = {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 0, "output_tokens": 1}}}
    word = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hm."}}
    stop = {
        "type": "message_delta",
        "delta": {"stop_reason": "refusal"},
        "usage": {"input_tokens": 472, "cache_read_input_tokens": None, "output_tokens": 7},
    }

    before, _ = fed("anthropic", start, word)
    after, chunks = fed("anthropic", start, word, stop)

    assert before.so_far(99) == Usage(99, 1)
    assert after.so_far(99) == Usage(472, 7)
    assert chunks[-1]["choices"][0]["finish_reason"] == "content_filter"


@pytest.mark.parametrize(
    ("reason", "word"), [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("OTHER", "stop")]
)
def test_googles_reasons_are_openais(reason: str, word: str) -> None:
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 2, "thoughtsTokenCount": 30, "toolUsePromptTokenCount": 1}
    said = {"candidates": [{"content": {"parts": [{"text": "Hm.", "thought": True}, {"text": "So."}]}}]}
    stop = {"candidates": [{"finishReason": reason}], "usageMetadata": usage}

    reader, chunks = fed("google", said, stop)

    assert [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]] == ["So.", None]
    assert chunks[-1]["choices"][0]["finish_reason"] == word
    assert reader.so_far(99) == Usage(10, 32, reasoning=30)
    assert reader.finished


def test_an_answer_that_google_blocks_is_filtered_and_paid_as_told() -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}}

    reader, chunks = fed("google", blocked)

    assert chunks[-1]["choices"][0]["finish_reason"] == "content_filter"
    assert reader.so_far(99) == Usage(9, 0)


@pytest.mark.parametrize(
    ("upstream", "events"),
    [
        (
            "google",
            [{"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}], "usageMetadata": {"promptTokenCount": 9}}],
        ),
        ("google", [{"error": {"code": 503, "message": "Overloaded."}}]),
        ("anthropic", [{"type": "error", "error": {"type": "overloaded_error"}}]),
        ("anthropic", [{"type": "message_stop"}]),
        ("openai", [{"choices": [{"delta": {}, "finish_reason": "error"}], "usage": {"prompt_tokens": 9}}]),
        ("openrouter", [{"choices": [], "error": {"code": 502, "message": "Provider returned error"}}]),
    ],
)
def test_an_error_within_a_stream_is_seen(upstream: str, events: list[dict[str, Any]]) -> None:
    reader, _ = fed(upstream, *events)

    assert reader.failed
    assert not reader.finished
    assert reader.end() == []


def test_a_stream_that_only_says_good_bye_has_failed() -> None:
    reader = reader_of("openai")

    assert reader.feed(b"data: [DONE]\n\n") == []
    assert reader.failed


def test_more_frames_than_were_asked_for_are_not_counted() -> None:
    word = {"choices": [{"delta": {"content": "x"}}]}

    reader, _ = fed("openai", *[word] * 80)

    assert reader.so_far(9) == Usage(9, 50)


def test_only_openrouter_is_believed_what_it_costs() -> None:
    stop = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "cost": 0.00012345}}

    assert fed("openai", stop)[0].so_far(0).told_cost is None
    assert str(fed("openrouter", stop)[0].so_far(0).told_cost) == "0.00012345"


def test_a_seller_paid_with_a_key_of_ours_is_paid_on_top_of_the_market() -> None:
    usage = {"prompt_tokens": 9, "cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.019}}
    stop = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage}

    assert str(fed("openrouter", stop)[0].so_far(0).told_cost) == "0.019"


@pytest.mark.parametrize("cost", [-1, True, "0", [], 10**30])
def test_a_cost_that_cannot_be_one_is_not_believed(cost: Any) -> None:
    stop = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "cost": cost}}

    assert fed("openrouter", stop)[0].so_far(0).told_cost is None


@pytest.mark.parametrize("prompt", [None, 0, -9, "9", True])
@pytest.mark.parametrize("upstream", ["openai", "openrouter"])
def test_a_usage_of_no_input_tells_nothing_and_is_counted(upstream: str, prompt: Any) -> None:
    said = {"choices": [{"delta": {"content": "x"}}]}
    usage = {"prompt_tokens": prompt, "completion_tokens": 0, "cost": 0}

    reader, _ = fed(upstream, said, {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage})

    assert reader.finished
    assert reader.so_far(7) == Usage(7, 1)


def test_more_tokens_than_can_be_kept_are_cut() -> None:
    usage = {"prompt_tokens": 10**30, "completion_tokens": 10**30}

    reader, _ = fed("openai", {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage})

    assert reader.so_far(0) == Usage(10**9, 10**9)


def test_numbers_in_arguments_stay_what_they_are() -> None:
    asked = {"functionCall": {"name": "look", "args": {"a": 1.5, "b": [10, 1e-7]}}}
    said = {
        "candidates": [{"content": {"parts": [asked]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 1},
    }

    _, chunks = fed("google", said)
    whole = registry.dialect("google").whole(json.dumps(said).encode())

    calls = [chunks[0]["choices"][0]["delta"]["tool_calls"][0], whole.answer["choices"][0]["message"]["tool_calls"][0]]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [{"a": 1.5, "b": [10, 1e-7]}] * 2


ODD = [None, 0, -1, 1.5, True, "", "x", [], {}, [None], [[]], [{}], {"a": 1}, "\ud800", 10**30]


def bent(value: Any, dice: random.Random) -> Any:
    """The same with something in it lost or replaced, now and then."""
    if dice.random() < 0.08:
        return dice.choice(ODD)
    if isinstance(value, dict):
        return {name: bent(each, dice) for name, each in value.items() if dice.random() > 0.03}
    return [bent(each, dice) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("upstream", FRAMES)
def test_answers_of_another_shape_are_read_or_refused(upstream: str) -> None:
    dice = random.Random(7)
    whole = {
        "openai": llm_frames.openai_whole,
        "google": llm_frames.google_whole,
        "anthropic": llm_frames.anthropic_whole,
    }
    frames = [frame.data.partition(b"data: ")[2] for frame in FRAMES[upstream](ANSWER) if b"{" in frame.data]

    for _ in range(200):
        reader = reader_of(upstream)
        with contextlib.suppress(UpstreamError):
            for frame in frames:
                reader.feed(b"data: " + json.dumps(bent(json.loads(frame), dice)).encode() + b"\n\n")
            reader.end()
        assert reader.so_far(7).prompt >= 0
        with contextlib.suppress(UpstreamError), readable():
            answer = registry.dialect(upstream).whole(json.dumps(bent(whole[upstream](ANSWER), dice)).encode())
            assert json.dumps(answer.answer)
            assert answer.deltas >= 0
