"""Anthropic's stream: blocks that begin, grow and end, told as chunks; and its usage, which grows with it."""

from __future__ import annotations

from typing import Any

from app.upstreams import sse
from app.upstreams.openai import text
from app.upstreams.reader import Learnt
from app.upstreams.usage import Usage, count, inner
from app.upstreams.written import Chunks, call

Json = dict[str, Any]
_REASONS = {"max_tokens": "length", "model_context_window_exceeded": "length", "tool_use": "tool_calls"}
_REASONS |= {"refusal": "content_filter"}


class Blocks:
    """Reads the events of one streamed message. Thinking is counted, since it is paid for, and not passed on."""

    def __init__(self, model: str, *, tell_usage: bool) -> None:
        self._chunks = Chunks(model, tell_usage=tell_usage)
        self._calls: dict[object, int] = {}  # block -> place among the tool calls
        self._done = False

    def event(self, data: bytes, learnt: Learnt) -> list[bytes]:
        told = sse.parsed(data)
        kind = told.get("type")
        if kind == "message_start":
            return self._begin(inner(told, "message"), learnt)
        if kind == "content_block_start":
            return self._block(told.get("index"), inner(told, "content_block"), learnt)
        if kind == "content_block_delta":
            return self._grown(told.get("index"), inner(told, "delta"), learnt)
        if kind == "message_delta":
            return self._stop(told, learnt)
        if kind == "message_stop":
            learnt.failed = not learnt.finished  # it never said why it stops
            self._done = True
            return [] if learnt.failed else self._chunks.last(learnt.usage)
        learnt.failed = kind == "error"
        return []  # a ping, or news of another day

    def end(self, learnt: Learnt) -> list[bytes]:
        return [] if self._done else self._chunks.last(learnt.usage)

    def _begin(self, begun: Json, learnt: Learnt) -> list[bytes]:
        self._chunks.id = text(begun.get("id")) or ""
        learnt.request_id = self._chunks.id or None
        learnt.usage = usage_of(begun, None, writing=True)
        return [self._chunks.delta({"content": ""})]

    def _block(self, index: object, block: Json, learnt: Learnt) -> list[bytes]:
        if block.get("type") != "tool_use":
            return []
        learnt.deltas += 1
        place = self._calls[index] = len(self._calls)
        begun = call(str(block.get("id", "")), str(block.get("name", "")), "")
        return [self._chunks.delta({"tool_calls": [{"index": place, **begun}]})]

    def _grown(self, index: object, delta: Json, learnt: Learnt) -> list[bytes]:
        kind = delta.get("type")
        piece = delta.get({"text_delta": "text", "input_json_delta": "partial_json"}.get(str(kind), "thinking"))
        if not isinstance(piece, str) or not piece:
            return []
        learnt.deltas += 1
        if kind == "text_delta":
            return [self._chunks.delta({"content": piece})]
        if kind == "input_json_delta" and index in self._calls:
            grown = {"index": self._calls[index], "function": {"arguments": piece}}
            return [self._chunks.delta({"tool_calls": [grown]})]
        return []

    def _stop(self, told: Json, learnt: Learnt) -> list[bytes]:
        learnt.usage = usage_of(told, learnt.usage)
        reason = inner(told, "delta").get("stop_reason")
        if not reason:
            return []
        learnt.finished = learnt.usage is not None
        return [self._chunks.delta({}, reason_of(reason))]


def reason_of(reason: object) -> str:
    """Why it stopped, in OpenAI's words."""
    return _REASONS.get(str(reason), "stop")


def usage_of(told: Json, before: Usage | None, *, writing: bool = False) -> Usage | None:
    """The usage so far. What is told later counts instead of what was told before; what is not told again stays.

    `writing`: the number of output tokens at the beginning is a guess, and is not taken.
    """
    usage = inner(told, "usage")
    if before is None and not isinstance(usage.get("input_tokens"), int):
        return None
    earlier = before or Usage(0, 0)
    cached = _told(usage, "cache_read_input_tokens", earlier.cached)
    kept = _told(usage, "cache_creation_input_tokens", earlier.written)
    fresh = _told(usage, "input_tokens", earlier.prompt - earlier.cached - earlier.written)
    return Usage(
        prompt=fresh + cached + kept,
        completion=0 if writing else _told(usage, "output_tokens", earlier.completion),
        cached=cached,
        written=kept,
        written_hour=_told(inner(usage, "cache_creation"), "ephemeral_1h_input_tokens", earlier.written_hour),
        reasoning=_told(inner(usage, "output_tokens_details"), "thinking_tokens", earlier.reasoning),
    )


def _told(usage: Json, name: str, earlier: int) -> int:
    """A number, or what it was before where it is left out or null."""
    return earlier if usage.get(name) is None else count(usage, name)
