"""What the four upstreams say on the wire, written by hand from their documents: whole answers and frames of streams.

Nothing of ours is used here, so that a mistake of ours is not made twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
CREATED = 1_795_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What an upstream is going to say. Every word, and every piece of a tool call, is one token and one frame."""

    model: str
    prompt: int
    words: tuple[str, ...] = ()
    tool: tuple[str, tuple[str, ...]] | None = None  # its name, and its arguments in pieces
    cached: int = 0
    reasoning: int = 0
    reason: str = "stop"  # stop | length | tool
    cost: Decimal = Decimal(0)

    @property
    def pieces(self) -> int:
        """Tokens that are streamed."""
        return len(self.words) + (1 + len(self.tool[1]) if self.tool else 0)

    @property
    def completion(self) -> int:
        return self.pieces + self.reasoning

    @property
    def arguments(self) -> str:
        return "".join(self.tool[1]) if self.tool else ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One write. kind: begin, content, finish, usage or done; `tokens` are those that are in it."""

    kind: str
    data: bytes
    tokens: int = 0


# OpenAI and OpenRouter


def openai_whole(answer: Answer, *, tells_cost: bool = False) -> Json:
    message: Json = {"role": "assistant", "content": "".join(answer.words) or None, "refusal": None, "annotations": []}
    if answer.tool:
        function = {"name": answer.tool[0], "arguments": answer.arguments}
        message["tool_calls"] = [{"id": "call_9", "type": "function", "function": function}]
    return {
        "id": "chatcmpl-9",
        "object": "chat.completion",
        "created": CREATED,
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": _openai_reason(answer)}],
        "usage": openai_usage(answer, tells_cost=tells_cost),
        "service_tier": "default",
    }


def openai_frames(answer: Answer, *, tells_cost: bool = False, tells_usage: bool = True) -> Iterator[Frame]:
    def chunk(choices: list[Json], **more: Any) -> bytes:
        about = {"id": "chatcmpl-9", "object": "chat.completion.chunk", "created": CREATED, "model": answer.model}
        return _data({**about, "choices": choices, **more})

    def delta(said: Json, reason: str | None = None) -> bytes:
        return chunk([{"index": 0, "delta": said, "logprobs": None, "finish_reason": reason}])

    yield Frame("begin", delta({"role": "assistant", "content": "", "refusal": None}))
    for word in answer.words:
        yield Frame("content", delta({"content": word}), 1)
    if answer.tool:
        name, pieces = answer.tool
        begun = {"index": 0, "id": "call_9", "type": "function", "function": {"name": name, "arguments": ""}}
        yield Frame("content", delta({"tool_calls": [begun]}), 1)
        for piece in pieces:
            yield Frame("content", delta({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}), 1)
    yield Frame("finish", delta({}, _openai_reason(answer)))
    if tells_usage:
        usage = openai_usage(answer, tells_cost=tells_cost)
        # OpenRouter tells its usage beside an empty choice, OpenAI beside none.
        beside = [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
        yield Frame("usage", chunk(beside if tells_cost else [], usage=usage))
    yield Frame("done", b"data: [DONE]\n\n")


def openai_usage(answer: Answer, *, tells_cost: bool) -> Json:
    return {
        "prompt_tokens": answer.prompt,
        "completion_tokens": answer.completion,
        "total_tokens": answer.prompt + answer.completion,
        "prompt_tokens_details": {"cached_tokens": answer.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": answer.reasoning, "audio_tokens": 0},
        # Fifteen digits go through a float unharmed, and no price has more.
        **({"cost": float(answer.cost), "is_byok": False} if tells_cost else {}),
    }


def _openai_reason(answer: Answer) -> str:
    return {"tool": "tool_calls"}.get(answer.reason, answer.reason)


# Anthropic


def anthropic_whole(answer: Answer) -> Json:
    blocks: list[Json] = [{"type": "text", "text": "".join(answer.words)}] if answer.words else []
    if answer.tool:
        asked = json.loads(answer.arguments)
        blocks.append({"type": "tool_use", "id": "toolu_9", "name": answer.tool[0], "input": asked})
    return {
        "id": "msg_9",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": blocks,
        "stop_reason": _anthropic_reason(answer),
        "stop_sequence": None,
        "usage": {**_anthropic_input(answer), "output_tokens": answer.completion},
    }


def anthropic_frames(answer: Answer) -> Iterator[Frame]:
    def said(kind: str, **more: Any) -> bytes:
        return f"event: {kind}\n".encode() + _data({"type": kind, **more})

    begun = {**anthropic_whole(answer), "content": [], "stop_reason": None}
    begun["usage"] = {**_anthropic_input(answer), "output_tokens": 3}  # a guess, as it is with the real one
    yield Frame("begin", said("message_start", message=begun))
    yield Frame("begin", said("ping"))
    index = 0
    if answer.words:
        block = {"type": "text", "text": ""}
        yield Frame("begin", said("content_block_start", index=index, content_block=block))
        for word in answer.words:
            delta = {"type": "text_delta", "text": word}
            yield Frame("content", said("content_block_delta", index=index, delta=delta), 1)
        yield Frame("finish", said("content_block_stop", index=index))
        index += 1
    if answer.tool:
        block = {"type": "tool_use", "id": "toolu_9", "name": answer.tool[0], "input": {}}
        yield Frame("content", said("content_block_start", index=index, content_block=block), 1)
        for piece in answer.tool[1]:
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield Frame("content", said("content_block_delta", index=index, delta=delta), 1)
        yield Frame("finish", said("content_block_stop", index=index))
    stopped = {"stop_reason": _anthropic_reason(answer), "stop_sequence": None}
    yield Frame("usage", said("message_delta", delta=stopped, usage={"output_tokens": answer.completion}))
    yield Frame("done", said("message_stop"))


def _anthropic_input(answer: Answer) -> Json:
    return {
        "input_tokens": answer.prompt - answer.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": answer.cached,
    }


def _anthropic_reason(answer: Answer) -> str:
    return {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use"}[answer.reason]


# Google


def google_whole(answer: Answer) -> Json:
    parts: list[Json] = [{"text": "".join(answer.words)}] if answer.words else []
    if answer.tool:
        parts.append(_google_call(answer))
    return _google(answer, parts, answer.pieces, stops=True)


def google_frames(answer: Answer) -> Iterator[Frame]:
    written = 0
    for word in answer.words:
        written += 1
        yield Frame("content", _data(_google(answer, [{"text": word}], written)), 1)
    if answer.tool:
        # It tells a call in one piece, however many tokens it is made of.
        yield Frame("content", _data(_google(answer, [_google_call(answer)], answer.pieces)), answer.pieces - written)
    yield Frame("usage", _data(_google(answer, [{"text": ""}], answer.pieces, stops=True)))
    yield Frame("done", b"")


def _google(answer: Answer, parts: list[Json], written: int, *, stops: bool = False) -> Json:
    usage = {"promptTokenCount": answer.prompt, "candidatesTokenCount": written}
    usage["totalTokenCount"] = answer.prompt + written
    if answer.cached:
        usage["cachedContentTokenCount"] = answer.cached
    if answer.reasoning and stops:
        usage["thoughtsTokenCount"] = answer.reasoning
    candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if stops:
        candidate["finishReason"] = "MAX_TOKENS" if answer.reason == "length" else "STOP"
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": answer.model,
        "responseId": "resp-9",
    }


def _google_call(answer: Answer) -> Json:
    assert answer.tool is not None
    asked = {"name": answer.tool[0], "args": json.loads(answer.arguments)}
    return {"functionCall": asked, "thoughtSignature": "c2lnbmVk"}


def _data(value: Json) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
