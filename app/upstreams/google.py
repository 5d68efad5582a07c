"""Google: contents made of parts, the model's name in the address, and usage told with every piece."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any
from urllib.parse import quote

from app.errors import Invalid
from app.upstreams import sse, written
from app.upstreams.chat import AssistantMessage, ChatRequest, Message, SystemMessage, ToolMessage, text_of
from app.upstreams.dialect import Order, Outgoing, Upstream, Whole
from app.upstreams.errors import Broken, Failed, Unsupported
from app.upstreams.google_stream import Pieces, call_of, parts_of, reason_of, usage_of
from app.upstreams.openai import text
from app.upstreams.reader import Reader
from app.upstreams.usage import inner

Json = dict[str, Any]
_MODES = {"none": "NONE", "auto": "AUTO", "required": "ANY"}


class Google:
    """Google's generateContent. It has no word for who the user is, nor for tools being `strict`."""

    name = "google"
    base_url = "https://generativelanguage.googleapis.com/v1beta"

    def outgoing(self, upstream: Upstream, order: Order) -> Outgoing:
        request = order.request
        if request.reasoning_effort in ("none", "xhigh"):
            written.refuse(request, "Google", "reasoning_effort")
        if request.parallel_tool_calls is False:
            field = "parallel_tool_calls"
            raise Unsupported(f"{field}: Models of Google do not take this.", field=field)
        body: Json = {"contents": _conversation(request), "generationConfig": _how(order)}
        system = "\n\n".join(text_of(one.content) for one in request.messages if isinstance(one, SystemMessage))
        if system:
            body["systemInstruction"] = {"parts": [{"text": system}]}
        if request.tools:
            body |= _tools(request)
        verb = "streamGenerateContent?alt=sse" if order.stream else "generateContent"
        path = f"/models/{quote(order.model, safe='')}:{verb}"
        return Outgoing(path, {"x-goog-api-key": upstream.key}, sse.encoded(body))

    def whole(self, raw: bytes) -> Whole:
        told = sse.parsed(raw)
        if "error" in told:
            raise Failed("The upstream reported an error.")
        reason, parts = reason_of(told), parts_of(told)
        if reason is None and not parts:
            raise Broken("The upstream's answer is not readable.")
        if reason == "error" and not parts:
            raise Failed("The upstream stopped in error.")
        usage, answer_id = usage_of(told), text(told.get("responseId")) or ""
        texts = (part["text"] for part in parts if isinstance(part.get("text"), str) and not part.get("thought"))
        asked = [part for part in parts if "functionCall" in part]
        calls = [call_of(part, answer_id, place) for place, part in enumerate(asked)]
        why = "tool_calls" if calls and reason == "stop" else {"error": "stop"}.get(reason or "stop", reason or "stop")
        model = text(told.get("modelVersion")) or ""
        answer = written.completion(answer_id, model, written.message(texts, calls), why, usage)
        return Whole(answer, usage, answer_id or None)

    def reader(self, order: Order) -> Reader:
        return Reader(Pieces(order.model, tell_usage=order.request.wants_usage), order.most)


def _how(order: Order) -> Json:
    request = order.request
    told: Json = {
        "maxOutputTokens": order.most,
        "temperature": request.temperature,
        "topP": request.top_p,
        "stopSequences": request.stops or None,
        "presencePenalty": request.presence_penalty,
        "frequencyPenalty": request.frequency_penalty,
        "seed": request.seed,
    }
    form = request.response_format
    if form is not None and form.type != "text":
        told["responseMimeType"] = "application/json"
        told["responseJsonSchema"] = (form.json_schema or {}).get("schema")
    if request.reasoning_effort is not None:
        told["thinkingConfig"] = {"thinkingLevel": request.reasoning_effort.upper()}
    return {name: value for name, value in told.items() if value is not None}


def _tools(request: ChatRequest) -> Json:
    declared = [
        {
            "name": tool.function.name,
            "description": tool.function.description or "",
            **({"parametersJsonSchema": tool.function.parameters} if tool.function.parameters else {}),
        }
        for tool in request.tools or ()
    ]
    told: Json = {"tools": [{"functionDeclarations": declared}]}
    chosen = request.tool_choice
    if isinstance(chosen, str):
        told["toolConfig"] = {"functionCallingConfig": {"mode": _MODES[chosen]}}
    elif chosen is not None:
        only = {"mode": "ANY", "allowedFunctionNames": [chosen.function.name]}
        told["toolConfig"] = {"functionCallingConfig": only}
    return told


def _conversation(request: ChatRequest) -> list[Json]:
    """The turns in their order, what one side says in a row being one turn."""
    names = {
        call.id: call.function.name
        for one in request.messages
        if isinstance(one, AssistantMessage)
        for call in one.tool_calls or ()
    }
    said = [one for one in request.messages if not isinstance(one, SystemMessage)]
    turns = groupby(said, key=lambda one: "model" if isinstance(one, AssistantMessage) else "user")
    return [{"role": role, "parts": [part for one in turn for part in _parts(one, names)]} for role, turn in turns]


def _parts(one: Message, names: dict[str, str]) -> list[Json]:
    if isinstance(one, ToolMessage):
        if one.tool_call_id not in names:
            raise Invalid("messages: A tool message answers no tool call before it.", field="messages")
        return [{"functionResponse": {"name": names[one.tool_call_id], "response": _result(text_of(one.content))}}]
    said = text_of(one.content)
    parts: list[Json] = [{"text": said}] if said else []
    if isinstance(one, AssistantMessage):
        for asked in one.tool_calls or ():
            part: Json = {"functionCall": {"name": asked.function.name, "args": written.arguments_of(asked)}}
            signature = inner(asked.extra_content or {}, "google").get("thought_signature")
            parts.append({**part, "thoughtSignature": signature} if isinstance(signature, str) else part)
    return parts or [{"text": ""}]


def _result(said: str) -> Json:
    """A tool's answer as the object Google wants."""
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        value = said
    return value if isinstance(value, dict) else {"result": value}
