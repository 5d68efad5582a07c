"""What an upstream understands of a request: whether its key and its fields are right, and how many tokens went in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


class Wrong(Exception):
    """A request the real one would refuse."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, understood."""

    upstream: str
    model: str
    prompt: int
    most: int
    stream: bool
    wants_usage: bool


def asked(path: str, headers: dict[str, str], body: Json, keys: dict[str, str]) -> Asked:
    """Raises Wrong."""
    upstream = path.split("/")[1]
    key = {
        "anthropic": headers.get("x-api-key", ""),
        "google": headers.get("x-goog-api-key", ""),
    }.get(upstream, headers.get("authorization", "").removeprefix("Bearer "))
    if upstream not in keys:
        raise Wrong(404, "There is nothing here.")
    if key != keys[upstream]:
        raise Wrong(400 if upstream == "google" else 401, f"Incorrect API key provided: {key}.")
    return {"anthropic": _anthropic, "google": _google}.get(upstream, _openai)(upstream, path, headers, body)


def tokens(*texts: str) -> int:
    """A token for every four bytes begun."""
    return sum((len(text.encode()) + 3) // 4 for text in texts)


def _openai(upstream: str, path: str, _headers: Json, body: Json) -> Asked:
    limit = "max_completion_tokens" if upstream == "openai" else "max_tokens"
    allowed = {
        "model", "messages", limit, "temperature", "top_p", "stop", "stream", "stream_options", "tools", "tool_choice",
        "parallel_tool_calls", "response_format", "reasoning_effort", "seed", "presence_penalty", "frequency_penalty",
        "user", "n", *(("usage", "provider") if upstream == "openrouter" else ()),
    }  # fmt: skip
    _check(path.endswith("/chat/completions"), 404, "Unknown request URL.")
    _check(not (strange := sorted(set(body) - allowed)), 400, f"Unrecognized request argument supplied: {strange}.")
    prompt = 0
    for message in body["messages"]:
        calls = message.get("tool_calls") or []
        said = message.get("content") or ""
        said = said if isinstance(said, str) else "".join(part["text"] for part in said)
        called = [call["function"]["name"] + call["function"]["arguments"] for call in calls]
        prompt += 4 + tokens(said, *called)
    prompt += sum(4 + tokens(_compact(tool["function"])) for tool in body.get("tools") or ())
    wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    return Asked(upstream, body["model"], prompt, body[limit], bool(body.get("stream")), wants_usage)


def _anthropic(upstream: str, path: str, headers: Json, body: Json) -> Asked:
    allowed = {
        "model", "messages", "max_tokens", "system", "temperature", "top_p", "stop_sequences", "stream", "tools",
        "tool_choice", "metadata", "output_config",
    }  # fmt: skip
    _check(path.endswith("/v1/messages"), 404, "Not found.")
    _check(headers.get("anthropic-version") == "2023-06-01", 400, "anthropic-version: header is required")
    _check(not (strange := sorted(set(body) - allowed)), 400, f"{strange}: Extra inputs are not permitted")
    _check("max_tokens" in body, 400, "max_tokens: Field required")
    prompt = 4 + tokens(body["system"]) if "system" in body else 0
    before = ""
    for turn in body["messages"]:
        _check(turn["role"] in ("user", "assistant") and turn["role"] != before, 400, "messages: roles must alternate")
        before = turn["role"]
        prompt += 4 + tokens(*(_block(block) for block in turn["content"]))
    prompt += sum(4 + tokens(_compact(tool)) for tool in body.get("tools") or ())
    return Asked(upstream, body["model"], prompt, body["max_tokens"], bool(body.get("stream")), True)


def _block(block: Json) -> str:
    return {"text": block.get("text"), "tool_result": block.get("content")}.get(block["type"]) or _compact(block)


def _google(upstream: str, path: str, _headers: Json, body: Json) -> Asked:
    found = re.match(r"/google/v1beta/models/([^/:]+):(generateContent|streamGenerateContent\?alt=sse)\Z", path)
    allowed = {"contents", "systemInstruction", "generationConfig", "tools", "toolConfig"}
    _check(found is not None, 404, "Not found.")
    _check(not (strange := sorted(set(body) - allowed)), 400, f"Invalid JSON payload received. Unknown name {strange}")
    assert found is not None
    prompt = 4 + tokens(body["systemInstruction"]["parts"][0]["text"]) if "systemInstruction" in body else 0
    for turn in body["contents"]:
        _check(turn["role"] in ("user", "model"), 400, "Please use a valid role: user, model.")
        prompt += 4 + tokens(*(part.get("text") or _compact(part) for part in turn["parts"]))
    prompt += sum(
        4 + tokens(_compact(each)) for tool in body.get("tools") or () for each in tool["functionDeclarations"]
    )
    most = body["generationConfig"]["maxOutputTokens"]
    return Asked(upstream, found[1], prompt, most, found[2].startswith("stream"), True)


def _check(right: bool, status: int, message: str) -> None:
    if not right:
        raise Wrong(status, message)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
