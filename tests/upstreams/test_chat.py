"""What callers may ask for: OpenAI's words, strictly, and each mistake at its field."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.upstreams.chat import ChatRequest

PLAIN = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
TOOL = {"type": "function", "function": {"name": "look"}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/1.png"}}


@pytest.mark.parametrize(
    "more",
    [
        {"max_tokens": 5},
        {"max_tokens": 5.0},
        {"max_completion_tokens": 5},
        {"n": 1, "seed": 7, "stop": ["a"], "user": "u", "temperature": 0, "top_p": 1},
        {"stream": True, "stream_options": {"include_usage": True}},
        {"tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": True},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
    ],
)
def test_what_openai_takes_is_taken(more: dict[str, Any]) -> None:
    request = ChatRequest.model_validate({**PLAIN, **more})

    assert request.limit in (None, 5)


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"n": 2}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"temperature": 2.1}, "temperature"),
        ({"stop": []}, "stop"),
        ({"logprobs": True}, "logprobs"),
        ({"api_base": "https://evil.example"}, "api_base"),
        ({"base_url": "https://evil.example"}, "base_url"),
        ({"provider": {"order": ["dear"]}}, "provider"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"model": "a b"}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": [PICTURE]}]}, "messages"),
        ({"messages": [{"role": "assistant"}]}, "messages"),
        ({"messages": [{"role": "stranger", "content": "Hi"}]}, "messages"),
    ],
)
def test_what_is_not_passed_on_is_refused_by_name(more: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ChatRequest.model_validate({**PLAIN, **more})

    assert {error["loc"][0] for error in refused.value.errors()} == {place}


@pytest.mark.parametrize(
    "more",
    [
        {"max_tokens": 5, "max_completion_tokens": 5},
        {"stream_options": {"include_usage": True}},
        {"tool_choice": "auto"},
    ],
)
def test_fields_that_contradict_each_other_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChatRequest.model_validate({**PLAIN, **more})
