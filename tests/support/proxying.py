"""The proxy of model calls over the upstreams' double: `proxy` for flows, `proxied` for the whole application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from app.flows.proxy_llm import Proxy
from app.upstreams.client import Client
from app.upstreams.dialect import Upstream
from tests.support.llm_double import KEYS, MODELS, LlmDouble

MESSAGES = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Count to six."}]


def body_of(upstream: str, **more: Any) -> dict[str, Any]:
    """A request for one of its models."""
    return {"model": MODELS[upstream], "messages": MESSAGES, "max_tokens": 50, **more}


@pytest.fixture(scope="session")
def _line() -> Iterator[Client]:
    """One for all tests, as reading the certificates for https takes its time."""
    client = Client({}, seconds=20)
    yield client
    client.close()


@pytest.fixture
def line(_line: Client, llm_double: LlmDouble) -> Client:
    """The line to the double, with all four upstreams."""
    _line.upstreams = {name: Upstream(name, llm_double.base_url(name), key) for name, key in KEYS.items()}
    return _line


@pytest.fixture
def proxy(engine: Engine, line: Client) -> Proxy:
    return Proxy(line, sessionmaker(engine, expire_on_commit=False), "usd", usual=100)


@pytest.fixture
def proxied(app: Flask, line: Client) -> Flask:
    """The application, its upstreams being the double."""
    app.extensions["llm_proxy"] = replace(app.extensions["llm_proxy"], client=line)
    return app
