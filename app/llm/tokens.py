"""Counting tokens where no upstream has told them: the one counter, and a bound that no tokenizer exceeds.

The count is what a caller pays who left before the upstream told its usage: a token for every four bytes of text begun,
and four for each message and each tool. What was streamed counts one token for each frame with something in it.
The bound holds for every model: its smallest token is a byte, so a text has no more tokens than bytes. What upstreams
add around messages and tools is less than what JSON adds, and than the allowance for their instructions on using tools.
"""

from __future__ import annotations

import json

from app.upstreams.chat import ChatRequest, text_of

BYTES_A_TOKEN = 4
AROUND = 4  # tokens around a message or a tool
_BOUND_AROUND = 16
_BOUND_OF_TOOLS = 2_048  # what an upstream may put before the conversation when there are tools or a form to keep to
_LEFT_OUT = {"model", "max_tokens", "max_completion_tokens", "stream", "stream_options", "user"}


def counted(request: ChatRequest) -> int:
    """Input tokens as we count them where nobody tells."""
    texts = [text for message in request.messages for text in _texts(message)]
    tools = [
        json.dumps(tool.function.model_dump(mode="json", exclude_none=True), ensure_ascii=False, separators=(",", ":"))
        for tool in request.tools or ()
    ]
    around = AROUND * (len(request.messages) + len(tools))
    return around + sum(-(-len(text.encode(errors="replace")) // BYTES_A_TOKEN) for text in (*texts, *tools))


def bound(request: ChatRequest) -> int:
    """Input tokens that no upstream will count more than."""
    body = json.dumps(request.model_dump(mode="json", exclude_none=True, exclude=_LEFT_OUT), ensure_ascii=False)
    instructed = request.tools is not None or request.response_format is not None
    around = _BOUND_AROUND * (1 + len(request.messages) + len(request.tools or ()))
    return len(body.encode(errors="replace")) + around + (_BOUND_OF_TOOLS if instructed else 0)


def _texts(message: object) -> list[str]:
    """What is written in a message: its content, and the tools it called."""
    calls = getattr(message, "tool_calls", None) or ()
    return [
        text_of(getattr(message, "content", None)),
        *(call.function.name + call.function.arguments for call in calls),
    ]
