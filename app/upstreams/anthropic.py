"""Anthropic: messages made of blocks, the system's words apart, and usage told at the beginning and at the end."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from app.upstreams import sse, written
from app.upstreams.anthropic_stream import Blocks, reason_of, usage_of
from app.upstreams.chat import AssistantMessage, ChatRequest, Message, SystemMessage, ToolMessage, text_of
from app.upstreams.dialect import Order, Outgoing, Upstream, Whole
from app.upstreams.errors import Broken, Failed
from app.upstreams.openai import text
from app.upstreams.reader import Reader

Json = dict[str, Any]
_VERSION = "2023-06-01"
_NO_WORD_FOR = ("presence_penalty", "frequency_penalty", "seed")
_EFFORTS = ("low", "medium", "high", "xhigh")


class Anthropic:
    """Anthropic's messages."""

    name = "anthropic"
    base_url = "https://api.anthropic.com"

    def outgoing(self, upstream: Upstream, order: Order) -> Outgoing:
        request = order.request
        written.refuse(request, "Anthropic", *_NO_WORD_FOR)
        body = {"model": order.model, "max_tokens": order.most, "messages": _conversation(request), **_how(request)}
        system = "\n\n".join(text_of(one.content) for one in request.messages if isinstance(one, SystemMessage))
        if system:
            body["system"] = system
        if order.stream:
            body["stream"] = True
        headers = {"x-api-key": upstream.key, "anthropic-version": _VERSION}
        return Outgoing("/v1/messages", headers, sse.encoded(body))

    def whole(self, raw: bytes) -> Whole:
        told = sse.parsed(raw)
        if told.get("type") == "error" or "error" in told:
            raise Failed("The upstream reported an error.")
        blocks, answer_id = told.get("content"), text(told.get("id")) or ""
        if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
            raise Broken("The upstream's answer is not readable.")
        if not blocks and not told.get("stop_reason"):
            raise Failed("The upstream stopped in error.")
        usage = usage_of(told, None)
        texts = (str(block.get("text", "")) for block in blocks if block.get("type") == "text")
        calls = [
            written.call(str(block.get("id", "")), str(block.get("name", "")), block.get("input") or {})
            for block in blocks
            if block.get("type") == "tool_use"
        ]
        message = written.message(texts, calls)
        model, reason = text(told.get("model")) or "", reason_of(told.get("stop_reason"))
        return Whole(written.completion(answer_id, model, message, reason, usage), usage, answer_id or None)

    def reader(self, order: Order) -> Reader:
        return Reader(Blocks(order.model, tell_usage=order.request.wants_usage), order.most)


def _how(request: ChatRequest) -> Json:
    """Everything but the conversation."""
    told: Json = {"temperature": request.temperature, "top_p": request.top_p, "stop_sequences": request.stops or None}
    told["output_config"] = _output(request) or None
    if request.user is not None:
        told["metadata"] = {"user_id": request.user}
    if request.tools:
        told["tools"] = [
            {
                "name": tool.function.name,
                **({"description": tool.function.description} if tool.function.description else {}),
                "input_schema": tool.function.parameters or {"type": "object", "properties": {}},
                **({"strict": True} if tool.function.strict else {}),
            }
            for tool in request.tools
        ]
        told["tool_choice"] = _choice(request)
    return {name: value for name, value in told.items() if value is not None}


def _output(request: ChatRequest) -> Json:
    """How hard to think, and the form of the answer. Raises Unsupported for what it knows no such word for."""
    told: Json = {}
    if request.reasoning_effort is not None:
        if request.reasoning_effort not in _EFFORTS:
            written.refuse(request, "Anthropic", "reasoning_effort")
        told["effort"] = request.reasoning_effort
    form = request.response_format
    if form is not None and form.type != "text":
        if form.json_schema is None:
            written.refuse(request, "Anthropic", "response_format")
        told["format"] = {"type": "json_schema", "schema": (form.json_schema or {}).get("schema") or {}}
    return told


def _choice(request: ChatRequest) -> Json | None:
    chosen = request.tool_choice
    if chosen is None or isinstance(chosen, str):
        choice: Json = {"type": {"none": "none", "required": "any"}.get(chosen or "auto", "auto")}
    else:
        choice = {"type": "tool", "name": chosen.function.name}
    if request.parallel_tool_calls is False and choice["type"] != "none":
        choice["disable_parallel_tool_use"] = True
    return choice if request.tool_choice is not None or len(choice) > 1 else None


def _conversation(request: ChatRequest) -> list[Json]:
    """The turns in their order; what one side says in a row is one turn, as results must follow their calls."""
    said = [one for one in request.messages if not isinstance(one, SystemMessage)]
    turns = groupby(said, key=lambda one: "assistant" if isinstance(one, AssistantMessage) else "user")
    return [{"role": role, "content": [block for one in turn for block in _blocks(one)]} for role, turn in turns]


def _blocks(one: Message) -> list[Json]:
    if isinstance(one, ToolMessage):
        return [{"type": "tool_result", "tool_use_id": one.tool_call_id, "content": text_of(one.content)}]
    blocks: list[Json] = []
    if isinstance(one, AssistantMessage):
        blocks = [
            {"type": "tool_use", "id": call.id, "name": call.function.name, "input": written.arguments_of(call)}
            for call in one.tool_calls or ()
        ]
    said = text_of(one.content)
    return [{"type": "text", "text": said}, *blocks] if said or not blocks else blocks
