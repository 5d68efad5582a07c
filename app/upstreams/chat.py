"""A model call as callers make it: the part of OpenAI's chat completions that is passed on, and nothing else (SPEC L1).

What costs money in ways a price list of tokens does not tell is not taken: several answers at once, pictures and sound,
searches. A field that is not here is refused by its name, never dropped.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _whole(value: object) -> object:
    """JSON calls 5.0 a whole number, so it is one here; a text or a boolean is none."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Json = dict[str, Any]
Integer = Annotated[int, BeforeValidator(_whole)]
Name = Annotated[str, Field(min_length=1, max_length=256)]
FunctionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]
MODEL_NAME = r"^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}$"
MOST_OUTPUT = 10_000_000  # tokens; more than any model writes


class Part(BaseModel):
    """What every part of a request has in common: nothing unknown, and no number for a text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TextPart(Part):
    type: Literal["text"]
    text: str


Text = str | list[TextPart]


class CalledFunction(Part):
    name: FunctionName
    arguments: str


class ToolCall(Part):
    """A call the model asked for, sent back to it with the conversation."""

    id: Name
    type: Literal["function"] = "function"
    function: CalledFunction
    extra_content: Json | None = None  # Google's thought signature, which it wants back


class SystemMessage(Part):
    role: Literal["system", "developer"]
    content: Text
    name: Name | None = None


class UserMessage(Part):
    role: Literal["user"]
    content: Text
    name: Name | None = None


class AssistantMessage(Part):
    """An earlier answer. It may come as it went, so what we do not need of it is taken too."""

    role: Literal["assistant"]
    content: Text | None = None
    tool_calls: list[ToolCall] | None = None
    name: Name | None = None
    refusal: str | None = None
    annotations: list[Json] | None = None
    audio: None = None
    function_call: None = None
    reasoning: str | None = None
    reasoning_details: list[Json] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.content and not self.tool_calls and not self.refusal:
            raise ValueError("an assistant message needs content or tool_calls")
        return self


class ToolMessage(Part):
    role: Literal["tool"]
    content: Text
    tool_call_id: Name


Message = Annotated[SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


class Function(Part):
    name: FunctionName
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None


class Tool(Part):
    type: Literal["function"]
    function: Function


class NamedFunction(Part):
    name: FunctionName


class NamedTool(Part):
    type: Literal["function"]
    function: NamedFunction


class StreamOptions(Part):
    include_usage: bool = False


class ResponseFormat(Part):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: Json | None = None

    @model_validator(mode="after")
    def _has_its_schema(self) -> Self:
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("json_schema goes with the type json_schema")
        return self


class ChatRequest(Part):
    """The request. Token numbers are at most what a model may write; `limit` is the one that was given."""

    model: Annotated[str, Field(pattern=MODEL_NAME)]
    messages: Annotated[list[Message], Field(min_length=1, max_length=2_000)]
    max_tokens: Annotated[Integer, Field(ge=1, le=MOST_OUTPUT)] | None = None
    max_completion_tokens: Annotated[Integer, Field(ge=1, le=MOST_OUTPUT)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: Annotated[Integer, Field(ge=-(2**31), lt=2**31)] | None = None
    stop: Name | Annotated[list[Name], Field(min_length=1, max_length=4)] | None = None
    n: Annotated[Literal[1], BeforeValidator(_whole)] | None = (
        None  # more answers would be more output than was held for
    )
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: Annotated[list[Tool], Field(min_length=1, max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    user: Name | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            raise ValueError("give max_tokens or max_completion_tokens, not both")
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options go with stream")
        if self.tools is None and (self.tool_choice is not None or self.parallel_tool_calls is not None):
            raise ValueError("tool_choice and parallel_tool_calls go with tools")
        return self

    @property
    def limit(self) -> int | None:
        """How many tokens the answer may have, by whichever of the two names."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    @property
    def stops(self) -> list[str]:
        return [self.stop] if isinstance(self.stop, str) else list(self.stop or ())

    @property
    def wants_usage(self) -> bool:
        """Whether a stream tells its usage at the end."""
        return self.stream_options is not None and self.stream_options.include_usage


def text_of(content: Text | None) -> str:
    """A message's text, its parts joined as they are."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.text for part in content)
