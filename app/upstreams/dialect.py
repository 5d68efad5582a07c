"""What an upstream's dialect does: our request into its words, its answers and streams into OpenAI's, and the usage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from app.upstreams.chat import ChatRequest
from app.upstreams.reader import Reader
from app.upstreams.sse import encoded
from app.upstreams.usage import Usage, inner

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers a model, and what it is called there."""

    upstream: str  # openai | anthropic | google | openrouter
    model: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """An upstream that is set up. The key never shows in a log."""

    name: str
    base_url: str
    key: str

    def __repr__(self) -> str:
        return f"Upstream({self.name!r}, {self.base_url!r})"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most a token may cost, in US dollars a million: for an upstream that chooses among sellers."""

    prompt: Decimal
    completion: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """One call as it is to be made. `most` output tokens are always sent, so that the hold is a bound."""

    request: ChatRequest
    model: str
    most: int
    stream: bool
    ceiling: Ceiling | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request in the upstream's words. `path` is put after its base URL."""

    path: str
    headers: Mapping[str, str] = field(repr=False)  # one of them is the key
    body: bytes


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer in one piece: OpenAI's chat.completion, and its usage; None where the upstream told none."""

    answer: Json
    usage: Usage | None
    request_id: str | None = None

    @property
    def deltas(self) -> int:
        """What it counts as where no usage was told: a token for every four bytes of what was said and called."""
        messages = [inner(choice, "message") for choice in self.answer["choices"]]
        written = [message[name] for message in messages for name in ("content", "tool_calls") if message.get(name)]
        return -(-sum(len(encoded(one)) for one in written) // 4)


class Dialect(Protocol):
    """One upstream's language. Stateless."""

    name: str
    base_url: str  # where it is unless the settings say otherwise

    def outgoing(self, upstream: Upstream, order: Order) -> Outgoing:
        """The request. Raises Unsupported, naming the field, for what this upstream has no word for."""
        ...

    def whole(self, raw: bytes) -> Whole:
        """The answer. Raises Broken when it is none, Failed when it is one of error without content."""
        ...

    def reader(self, order: Order) -> Reader:
        """For one streamed answer."""
        ...
