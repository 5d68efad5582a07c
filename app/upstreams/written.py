"""Writing OpenAI's answers and chunks for upstreams that speak otherwise, and reading the conversation for them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from app import clock
from app.errors import Invalid
from app.upstreams import sse
from app.upstreams.chat import ChatRequest, ToolCall
from app.upstreams.errors import Unsupported
from app.upstreams.usage import Usage, as_openai

Json = dict[str, Any]


class Chunks:
    """The chunks of one streamed answer, with its id and its model in each."""

    def __init__(self, model: str, *, tell_usage: bool) -> None:
        self.id = ""
        self._model = model
        self._tell_usage = tell_usage
        self._created = int(clock.now().timestamp())
        self._begun = False

    def delta(self, delta: Json, reason: str | None = None) -> bytes:
        """One chunk; the first says who is speaking."""
        if not self._begun:
            delta, self._begun = {"role": "assistant", **delta}, True
        return self._chunk(choices=[{"index": 0, "delta": delta, "finish_reason": reason}])

    def last(self, usage: Usage | None) -> list[bytes]:
        """The end: the usage, for whoever asked for it, and the good-bye."""
        told = [self._chunk(choices=[], usage=as_openai(usage))] if usage is not None and self._tell_usage else []
        return [*told, sse.DONE]

    def _chunk(self, **more: Any) -> bytes:
        about = {"id": self.id, "object": "chat.completion.chunk", "created": self._created, "model": self._model}
        return sse.event({**about, **more})


def completion(answer_id: str, model: str, message: Json, reason: str, usage: Usage | None) -> Json:
    """A whole answer."""
    return {
        "id": answer_id,
        "object": "chat.completion",
        "created": int(clock.now().timestamp()),
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}],
        **({} if usage is None else {"usage": as_openai(usage)}),
    }


def message(texts: Iterable[str], calls: list[Json]) -> Json:
    """What was said and what was called; a message of calls alone has no content."""
    said = "".join(texts)
    return {"content": said or (None if calls else ""), **({"tool_calls": calls} if calls else {})}


def call(call_id: str, name: str, arguments: object, **more: Any) -> Json:
    """A tool call with all its arguments."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": text}, **more}


def arguments_of(asked: ToolCall) -> Json:
    """The arguments of an earlier call, which must be an object. Raises Invalid."""
    try:
        value = json.loads(asked.function.arguments or "{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Invalid("messages: The arguments of a tool call must be a JSON object.", field="messages")
    return value


def refuse(request: ChatRequest, upstream: str, *names: str) -> None:
    """Refuse fields that the upstream has no word for, unless they say what holds without them. Raises Unsupported."""
    for name in names:
        if getattr(request, name):
            raise Unsupported(f"{name}: Models of {upstream} do not take this.", field=name)
