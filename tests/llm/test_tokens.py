"""Counting tokens where nobody tells them: one count, and a bound above what any tokenizer makes of a text."""

from __future__ import annotations

import pytest

from app.llm import tokens
from app.upstreams.chat import ChatRequest


def asking(*texts: str, **more: object) -> ChatRequest:
    messages = [{"role": "user", "content": text} for text in texts]
    return ChatRequest.model_validate({"model": "gpt-4o", "messages": messages, **more})


@pytest.mark.parametrize(("text", "count"), [("", 4), ("abcd", 5), ("abcde", 6), ("äöü", 6), ("🙂🙂", 6)])
def test_four_bytes_begun_are_a_token_and_a_message_four(text: str, count: int) -> None:
    assert tokens.counted(asking(text)) == count
    assert tokens.counted(asking(text, text)) == 2 * count


def test_tools_and_their_calls_count() -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    called = {"id": "call_1", "function": {"name": "look", "arguments": "{}"}}
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [called]}]

    request = ChatRequest.model_validate({"model": "gpt-4o", "messages": messages, "tools": [tool]})

    assert tokens.counted(request) == (4 + 1) + (4 + 2) + (4 + 12)  # {"name":"look","parameters":{"type":"object"}}


@pytest.mark.parametrize("text", ["", "a", "\u00ad" * 9, "漢字" * 500, "\x00\n\t", "🙂" * 100])
def test_the_bound_is_above_a_token_for_every_byte(text: str) -> None:
    request = asking(text, "hello")

    assert tokens.bound(request) > len((text + "hello").encode()) + 2 * 16
    assert tokens.bound(request) > tokens.counted(request)


def test_the_bound_knows_of_tools_and_forms() -> None:
    plain = tokens.bound(asking("Hi"))

    assert tokens.bound(asking("Hi", response_format={"type": "json_object"})) > plain + 2_000
