"""Counting tokens where no upstream has told them: the one counter, and a bound that no tokenizer exceeds.

The count is what a caller pays who left before the upstream told its usage: a token for every four bytes of text begun,
and four for each message and each tool. What was streamed counts one token for each frame.
The bound holds for every model: its smallest token is a byte, so a text has no more tokens than bytes.
"""

from __future__ import annotations

from app.upstreams.chat import ChatRequest


def counted(request: ChatRequest) -> int:
    """Input tokens as we count them where nobody tells."""
    raise NotImplementedError


def bound(request: ChatRequest) -> int:
    """Input tokens that no upstream will count more than."""
    raise NotImplementedError
