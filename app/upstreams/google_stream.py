"""Google's stream: pieces of an answer told as chunks; each comes with the usage up to it."""

from __future__ import annotations

from typing import Any

from app.upstreams import sse
from app.upstreams.openai import text
from app.upstreams.reader import Learnt
from app.upstreams.usage import Usage, count, inner
from app.upstreams.written import Chunks, call

Json = dict[str, Any]
_FILTERED = {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}


class Pieces:
    """Reads the pieces of one streamed answer. Thoughts are counted, since they are paid for, and not passed on."""

    def __init__(self, model: str, *, tell_usage: bool) -> None:
        self._chunks = Chunks(model, tell_usage=tell_usage)
        self._calls = 0
        self._reason: str | None = None

    def event(self, data: bytes, learnt: Learnt) -> list[bytes]:
        told = sse.parsed(data)
        if "error" in told:
            learnt.failed = True
            return []
        parts, usage = parts_of(told), usage_of(told)
        self._chunks.id = self._chunks.id or text(told.get("responseId")) or ""
        learnt.request_id = self._chunks.id or None
        learnt.deltas += any(part.get("text") or "functionCall" in part for part in parts)
        learnt.usage = usage or learnt.usage
        events = [event for part in parts for event in self._part(part)]
        return events + self._stop(told, learnt)

    def end(self, learnt: Learnt) -> list[bytes]:
        return self._chunks.last(learnt.usage)

    def _part(self, part: Json) -> list[bytes]:
        if "functionCall" in part:
            asked = {"index": self._calls, **call_of(part, self._chunks.id, self._calls)}
            self._calls += 1
            return [self._chunks.delta({"tool_calls": [asked]})]
        said = part.get("text")
        return [self._chunks.delta({"content": said})] if isinstance(said, str) and not part.get("thought") else []

    def _stop(self, told: Json, learnt: Learnt) -> list[bytes]:
        """The chunk that says why, once. Usage may come with it or after it."""
        reason = reason_of(told)
        if reason is None or self._reason is not None:
            learnt.finished = self._reason is not None and learnt.usage is not None
            return []
        self._reason = reason
        learnt.failed = reason == "error" and not learnt.deltas
        learnt.finished = learnt.usage is not None
        if reason in ("stop", "error"):
            reason = "tool_calls" if self._calls else "stop"
        return [] if learnt.failed else [self._chunks.delta({}, reason)]


def parts_of(told: Json) -> list[Json]:
    """The parts of the one candidate, those that can be read."""
    candidates = told.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    parts = inner(first, "content").get("parts") if isinstance(first, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def reason_of(told: Json) -> str | None:
    """Why it stopped, in OpenAI's words, or "error"; None while it goes on."""
    if inner(told, "promptFeedback").get("blockReason"):
        return "content_filter"
    candidates = told.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    reason = first.get("finishReason") if isinstance(first, dict) else None
    if not reason:
        return None
    if reason in ("STOP", "MAX_TOKENS"):
        return "stop" if reason == "STOP" else "length"
    return "content_filter" if reason in _FILTERED else "error"


def call_of(part: Json, answer_id: str, place: int) -> Json:
    """A tool call. Google may give it no id, and its signature must come back with it."""
    asked = inner(part, "functionCall")
    call_id = text(asked.get("id")) or f"call_{answer_id}_{place}"
    signature = part.get("thoughtSignature")
    more = {"extra_content": {"google": {"thought_signature": signature}}} if isinstance(signature, str) else {}
    return call(call_id, str(asked.get("name", "")), asked.get("args") or {}, **more)


def usage_of(told: Json) -> Usage | None:
    """The usage of an answer, or of a stream up to here; None where none is told."""
    usage = inner(told, "usageMetadata")
    if "promptTokenCount" not in usage:
        return None
    thoughts = count(usage, "thoughtsTokenCount")
    return Usage(
        prompt=count(usage, "promptTokenCount") + count(usage, "toolUsePromptTokenCount"),
        completion=count(usage, "candidatesTokenCount") + thoughts,
        cached=count(usage, "cachedContentTokenCount"),
        reasoning=thoughts,
    )
