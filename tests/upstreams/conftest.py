"""Calling the upstreams' double as the proxy does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.upstreams.chat import ChatRequest
from app.upstreams.client import Client, Stream
from app.upstreams.dialect import Order, Route, Upstream, Whole
from tests.support.llm_double import KEYS, MODELS, LlmDouble

MESSAGES = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Count to six."}]


def request_of(upstream: str, **more: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": MODELS[upstream], "messages": MESSAGES, **more})


@dataclass
class Calling:
    """A client of the double, asking each upstream the same."""

    client: Client

    def whole(self, upstream: str, most: int = 50, headers: dict[str, str] | None = None, **more: Any) -> Whole:
        order = Order(request_of(upstream, **more), MODELS[upstream], most, stream=False)
        return self.client.whole(Route(upstream, MODELS[upstream]), order, headers)

    def stream(self, upstream: str, most: int = 50, **more: Any) -> Stream:
        order = Order(request_of(upstream, stream=True, **more), MODELS[upstream], most, stream=True)
        return self.client.stream(Route(upstream, MODELS[upstream]), order)


@pytest.fixture(scope="module")
def _pools() -> Iterator[dict[float, Client]]:
    """Clients are made once, as reading the certificates for https takes its time."""
    pools: dict[float, Client] = {}
    yield pools
    for client in pools.values():
        client.close()


@pytest.fixture
def client_of(_pools: dict[float, Client], llm_double: LlmDouble) -> Callable[..., Client]:
    upstreams = {name: Upstream(name, llm_double.base_url(name), key) for name, key in KEYS.items()}

    def make(seconds: float = 20) -> Client:
        return _pools.setdefault(seconds, Client(upstreams, seconds=seconds))

    return make


@pytest.fixture
def calling(client_of: Callable[..., Client]) -> Calling:
    return Calling(client_of())
