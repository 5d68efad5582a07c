"""OpenAI: the language callers speak already, so little is changed: the limit's name, and usage is always asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.upstreams import sse
from app.upstreams.dialect import Order, Outgoing, Upstream, Whole
from app.upstreams.errors import Broken, Failed
from app.upstreams.reader import Learnt, Reader
from app.upstreams.usage import Usage, count, inner

Json = dict[str, Any]
_WRITTEN = ("content", "refusal", "reasoning", "reasoning_content", "tool_calls", "function_call")
_DEAREST = 100_000  # dollars a call
_NOT_SENT_BACK = {"annotations", "audio", "function_call", "reasoning", "reasoning_details"}
_OURS = {"model", "max_tokens", "max_completion_tokens", "messages", "stream", "stream_options"}


class OpenAI:
    """OpenAI's chat completions."""

    name = "openai"
    base_url = "https://api.openai.com/v1"

    def outgoing(self, upstream: Upstream, order: Order) -> Outgoing:
        # The newer of its models refuse the older name, max_tokens.
        body = chat_body(order, "max_completion_tokens", without=_NOT_SENT_BACK)
        return Outgoing("/chat/completions", bearer(upstream.key), sse.encoded(body))

    def whole(self, raw: bytes) -> Whole:
        return whole(raw, told_cost=False)

    def reader(self, order: Order) -> Reader:
        return Reader(Passing(tell_usage=order.request.wants_usage, told_cost=False), order.most)


class Passing:
    """Passes a stream of chat completions on as it is, and keeps what it tells."""

    def __init__(self, *, tell_usage: bool, told_cost: bool) -> None:
        self._tell_usage = tell_usage
        self._told_cost = told_cost
        self._stopped = False  # it said why
        self._done = False

    def event(self, data: bytes, learnt: Learnt) -> list[bytes]:
        if data == b"[DONE]":
            # A stream that says good-bye without having said anything is one of those that fail politely.
            learnt.failed = not self._stopped and not learnt.deltas
            learnt.finished = self._done = True
            return [] if learnt.failed else [sse.DONE]
        chunk = sse.parsed_exactly(data)
        if "error" in chunk:
            learnt.failed = True
            return []
        choices = [choice for choice in chunk.get("choices") or [] if isinstance(choice, dict)]
        self._learn(chunk, choices, learnt)
        if learnt.failed or (not choices and not self._tell_usage):
            return []
        return [b"data: " + data.replace(b"\n", b" ") + b"\n\n"]

    def end(self, _learnt: Learnt) -> list[bytes]:
        return [] if self._done else [sse.DONE]

    def _learn(self, chunk: Json, choices: list[Json], learnt: Learnt) -> None:
        learnt.request_id = learnt.request_id or text(chunk.get("id"))
        learnt.deltas += any(wrote(inner(choice, "delta")) for choice in choices)
        reasons = [choice["finish_reason"] for choice in choices if choice.get("finish_reason") is not None]
        learnt.failed = "error" in reasons
        self._stopped = self._stopped or bool(reasons)
        learnt.usage = usage_of(chunk, told_cost=self._told_cost) or learnt.usage
        learnt.finished = self._stopped and learnt.usage is not None


def chat_body(order: Order, limit: str, *, without: set[str]) -> Json:
    """The request with the limit under the name that is wanted, earlier answers without what is not sent back."""
    request = order.request
    body = {"model": order.model, limit: order.most}
    body |= request.model_dump(mode="json", exclude_none=True, exclude=_OURS)
    body["messages"] = [
        message.model_dump(mode="json", exclude_none=True, exclude=without) for message in request.messages
    ]
    if order.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def whole(raw: bytes, *, told_cost: bool) -> Whole:
    """A chat.completion as it is, and its usage. Raises Broken or Failed."""
    told = sse.parsed_exactly(raw)
    choices = told.get("choices")
    if "error" in told:
        raise Failed("The upstream reported an error.")
    if not isinstance(choices, list) or not choices or not all(isinstance(choice, dict) for choice in choices):
        raise Broken("The upstream's answer is not readable.")
    if all(is_failure(choice.get("finish_reason"), inner(choice, "message")) for choice in choices):
        raise Failed("The upstream stopped in error.")
    return Whole(sse.parsed(raw), usage_of(told, told_cost=told_cost), text(told.get("id")))


def is_failure(reason: object, message: Json) -> bool:
    """An answer that broke off in error, or that has nothing in it and does not say why."""
    return reason == "error" or (reason is None and not wrote(message))


def wrote(message: Json) -> bool:
    return any(message.get(name) for name in _WRITTEN)


def usage_of(told: Json, *, told_cost: bool) -> Usage | None:
    """The usage of an answer or a chunk, None where it tells none. The cost only of who bills by it."""
    usage = inner(told, "usage")
    if "prompt_tokens" not in usage:
        return None
    details = inner(usage, "prompt_tokens_details")
    return Usage(
        prompt=count(usage, "prompt_tokens"),
        completion=count(usage, "completion_tokens"),
        cached=count(details, "cached_tokens"),
        written=count(details, "cache_write_tokens"),
        reasoning=count(inner(usage, "completion_tokens_details"), "reasoning_tokens"),
        told_cost=_cost_of(usage) if told_cost else None,
    )


def _cost_of(usage: Json) -> Decimal | None:
    """Dollars. Where the seller was paid with a key of our own, that comes on top of what the market took."""
    parts = [usage.get("cost")]
    if usage.get("is_byok"):
        parts.append(inner(usage, "cost_details").get("upstream_inference_cost"))
    if any(
        not isinstance(part, int | Decimal) or isinstance(part, bool) or not 0 <= part <= _DEAREST for part in parts
    ):
        return None
    return sum((Decimal(part) for part in parts if part is not None), Decimal(0))


def text(value: object) -> str | None:
    """A short text of the upstream's, None for anything else."""
    return value[:200] if isinstance(value, str) and value.isascii() and value.isprintable() else None
