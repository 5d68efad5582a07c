"""How many tokens an answer in one piece counts as whose upstream told no usage: one for every four bytes begun."""

from __future__ import annotations

import json
from typing import Any

from app.llm.tokens import BYTES_A_TOKEN
from app.upstreams.usage import inner

_WRITTEN = ("content", "refusal", "reasoning", "reasoning_content", "tool_calls")


def counted(answer: dict[str, Any]) -> int:
    """Output tokens of one of OpenAI's answers: its texts, and the calls in it as JSON."""
    messages = [inner(choice, "message") for choice in answer.get("choices") or ()]
    found = [message[name] for message in messages for name in _WRITTEN if message.get(name)]
    texts = [one if isinstance(one, str) else json.dumps(one, separators=(",", ":")) for one in found]
    return sum(-(-len(text.encode(errors="replace")) // BYTES_A_TOKEN) for text in texts)
