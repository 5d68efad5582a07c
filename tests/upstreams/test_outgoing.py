"""The request in each upstream's own words."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from app.errors import Invalid
from app.upstreams import registry
from app.upstreams.chat import ChatRequest
from app.upstreams.dialect import Ceiling, Order, Outgoing, Upstream
from app.upstreams.errors import Unsupported

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a place.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    },
}
CONVERSATION = [
    {"role": "system", "content": "Be short."},
    {"role": "developer", "content": [{"type": "text", "text": "Be "}, {"type": "text", "text": "kind."}]},
    {"role": "user", "content": "Weather in Ulm and Köln?"},
    {
        "role": "assistant",
        "content": "I look.",
        "refusal": None,
        "annotations": [],
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"place": "Ulm"}'},
                "extra_content": {"google": {"thought_signature": "c2ln"}},
            },
            {"id": "call_2", "type": "function", "function": {"name": "weather", "arguments": '{"place": "Köln"}'}},
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": '{"sky": "grey"}'},
    {"role": "tool", "tool_call_id": "call_2", "content": "rain"},
    {"role": "user", "content": "And?"},
]


def outgoing(
    upstream: str, *, model: str = "a-model", stream: bool = False, ceiling: Any = None, **fields: Any
) -> Outgoing:
    request = ChatRequest.model_validate({"model": model, "messages": CONVERSATION, "tools": [TOOL], **fields})
    order = Order(request, model, 77, stream, ceiling)
    return registry.dialect(upstream).outgoing(Upstream(upstream, "https://there.example.com", "sesame"), order)


def body_of(upstream: str, **fields: Any) -> Any:
    return json.loads(outgoing(upstream, **fields).body)


def test_openai_gets_its_own_words_with_the_newer_limit() -> None:
    sent = outgoing("openai", max_tokens=500, temperature=0.5, stop="END", seed=3, tool_choice="required", n=1)

    body = json.loads(sent.body)
    assert sent.path == "/chat/completions"
    assert sent.headers == {"Authorization": "Bearer sesame"}
    assert body["max_completion_tokens"] == 77
    assert "max_tokens" not in body
    assert "stream" not in body
    assert body["messages"][3] == {
        "role": "assistant",
        "content": "I look.",
        "tool_calls": [
            {**call, "extra_content": {"google": {"thought_signature": "c2ln"}}} if call["id"] == "call_1" else call
            for call in body["messages"][3]["tool_calls"]
        ],
    }
    assert {name: body[name] for name in ("temperature", "stop", "seed", "tool_choice", "tools")} == {
        "temperature": 0.5,
        "stop": "END",
        "seed": 3,
        "tool_choice": "required",
        "tools": [TOOL],
    }


def test_a_stream_is_always_asked_for_its_usage() -> None:
    body = body_of("openai", stream=True)

    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}


def test_openrouter_is_told_the_most_it_may_charge() -> None:
    body = body_of("openrouter", ceiling=Ceiling(Decimal("2.50"), Decimal("1E+1")))

    assert body["max_tokens"] == 77
    assert "max_completion_tokens" not in body
    assert body["provider"] == {"max_price": {"prompt": "2.50", "completion": "10", "request": "0"}}


def test_anthropic_gets_blocks_and_its_system_apart() -> None:
    sent = outgoing(
        "anthropic", temperature=1, stop=["A", "B"], tool_choice="required", parallel_tool_calls=False, user="u1"
    )

    body = json.loads(sent.body)
    assert sent.path == "/v1/messages"
    assert sent.headers == {"x-api-key": "sesame", "anthropic-version": "2023-06-01"}
    assert body == {
        "model": "a-model",
        "max_tokens": 77,
        "system": "Be short.\n\nBe kind.",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Weather in Ulm and Köln?"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"place": "Ulm"}},
                    {"type": "tool_use", "id": "call_2", "name": "weather", "input": {"place": "Köln"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": '{"sky": "grey"}'},
                    {"type": "tool_result", "tool_use_id": "call_2", "content": "rain"},
                    {"type": "text", "text": "And?"},
                ],
            },
        ],
        "temperature": 1.0,
        "stop_sequences": ["A", "B"],
        "metadata": {"user_id": "u1"},
        "tools": [
            {
                "name": "weather",
                "description": "The weather of a place.",
                "input_schema": TOOL["function"]["parameters"],
            }
        ],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    }


@pytest.mark.parametrize(
    ("given", "anthropic", "google"),
    [
        (None, None, None),
        ("auto", {"type": "auto"}, {"mode": "AUTO"}),
        ("none", {"type": "none"}, {"mode": "NONE"}),
        ("required", {"type": "any"}, {"mode": "ANY"}),
        (
            {"type": "function", "function": {"name": "weather"}},
            {"type": "tool", "name": "weather"},
            {"mode": "ANY", "allowedFunctionNames": ["weather"]},
        ),
    ],
)
def test_the_choice_of_tools_is_translated(given: Any, anthropic: Any, google: Any) -> None:
    assert body_of("anthropic", tool_choice=given).get("tool_choice") == anthropic
    assert body_of("google", tool_choice=given).get("toolConfig") == (google and {"functionCallingConfig": google})


def test_google_gets_parts_and_its_settings_apart() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "it", "schema": {"type": "object"}}}

    sent = outgoing("google", stream=True, top_p=0.5, stop="END", seed=3, response_format=form, presence_penalty=0.5)

    body = json.loads(sent.body)
    assert sent.path == "/models/a-model:streamGenerateContent?alt=sse"
    assert sent.headers == {"x-goog-api-key": "sesame"}
    assert body == {
        "systemInstruction": {"parts": [{"text": "Be short.\n\nBe kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Weather in Ulm and Köln?"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "I look."},
                    {"functionCall": {"name": "weather", "args": {"place": "Ulm"}}, "thoughtSignature": "c2ln"},
                    {"functionCall": {"name": "weather", "args": {"place": "Köln"}}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "weather", "response": {"sky": "grey"}}},
                    {"functionResponse": {"name": "weather", "response": {"result": "rain"}}},
                    {"text": "And?"},
                ],
            },
        ],
        "generationConfig": {
            "maxOutputTokens": 77,
            "topP": 0.5,
            "stopSequences": ["END"],
            "presencePenalty": 0.5,
            "seed": 3,
            "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object"},
        },
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "weather",
                        "description": "The weather of a place.",
                        "parametersJsonSchema": TOOL["function"]["parameters"],
                    }
                ]
            }
        ],
    }


def test_a_models_name_is_no_way_to_another_address() -> None:
    assert outgoing("google", model="gemini-1/../../x:y").path == "/models/gemini-1%2F..%2F..%2Fx%3Ay:generateContent"


@pytest.mark.parametrize(
    ("upstream", "field", "value"),
    [
        ("anthropic", "seed", 1),
        ("anthropic", "presence_penalty", 0.5),
        ("anthropic", "frequency_penalty", -0.5),
        ("anthropic", "reasoning_effort", "minimal"),
        ("anthropic", "response_format", {"type": "json_object"}),
        ("google", "reasoning_effort", "none"),
        ("google", "parallel_tool_calls", False),
    ],
)
def test_what_an_upstream_has_no_word_for_is_refused_by_name(upstream: str, field: str, value: Any) -> None:
    with pytest.raises(Unsupported) as refused:
        outgoing(upstream, **{field: value})

    assert refused.value.field == field


def test_how_hard_to_think_and_the_form_of_the_answer_are_translated() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "it", "schema": {"type": "object"}, "strict": True}}

    anthropic = body_of("anthropic", reasoning_effort="low", response_format=form)
    google = body_of("google", reasoning_effort="low", response_format=form)["generationConfig"]

    assert anthropic["output_config"] == {
        "effort": "low",
        "format": {"type": "json_schema", "schema": {"type": "object"}},
    }
    assert google["thinkingConfig"] == {"thinkingLevel": "LOW"}
    assert google["responseJsonSchema"] == {"type": "object"}
    assert "output_config" not in body_of("anthropic")


@pytest.mark.parametrize("field", ["presence_penalty", "frequency_penalty"])
def test_what_holds_anyway_may_be_said(field: str) -> None:
    assert field not in body_of("anthropic", **{field: 0}, response_format={"type": "text"})


@pytest.mark.parametrize("upstream", ["anthropic", "google"])
@pytest.mark.parametrize("arguments", ["[]", "{", "3"])
def test_arguments_that_are_no_object_are_refused(upstream: str, arguments: str) -> None:
    call = {"id": "c", "function": {"name": "weather", "arguments": arguments}}

    with pytest.raises(Invalid):
        outgoing(upstream, messages=[{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]}])


@pytest.mark.parametrize("said", ["x", 5, [1], None, {"thought_signature": 5}])
def test_a_signature_of_another_shape_is_left_out(said: Any) -> None:
    call = {"id": "c", "function": {"name": "weather", "arguments": "{}"}, "extra_content": {"google": said}}

    body = outgoing("google", messages=[{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]}])

    assert b"thoughtSignature" not in body.body


def test_an_answer_to_no_call_is_refused_where_its_name_is_needed() -> None:
    with pytest.raises(Invalid):
        outgoing("google", messages=[{"role": "tool", "tool_call_id": "call_7", "content": "rain"}])


def test_neither_the_key_nor_the_body_shows_where_a_request_is_printed() -> None:
    printed = repr(outgoing("openai")) + repr(Upstream("openai", "https://there.example.com", "sesame"))

    assert "sesame" not in printed
