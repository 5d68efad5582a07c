"""Calls to providers in tests: refused inside a database transaction (SPEC R4), and held to Stripe's description."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import httpx
import pytest
import requests
from sqlalchemy import Connection, Engine, event

from app.sandbox.spec import pinned

_here = threading.local()


def _open() -> list[Connection]:
    """This thread's connections that are inside a transaction."""
    seen: WeakSet[Connection] = getattr(_here, "seen", WeakSet())
    return [each for each in seen if not each.closed and each.in_transaction()]


def _begun(connection: Connection) -> None:
    if not hasattr(_here, "seen"):
        _here.seen = WeakSet()
    _here.seen.add(connection)


def is_inside_a_transaction() -> bool:
    """Whether this thread has a database transaction open."""
    return bool(_open())


def refuse_inside_a_transaction(doing: str) -> None:
    """Fail the test when this thread has a database transaction open."""
    assert not _open(), f"{doing} while a database transaction is open"


@pytest.fixture(autouse=True, scope="session")
def _no_network_inside_a_transaction() -> Iterator[None]:
    event.listen(Engine, "begin", _begun)
    real = requests.adapters.HTTPAdapter.send

    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_inside_a_transaction(f"{request.method} {request.url}")
        _check_against_the_description(request)
        return real(self, request, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.adapters.HTTPAdapter, "send", send)
        yield
    event.remove(Engine, "begin", _begun)


@pytest.fixture
def no_httpx_inside_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for calls through httpx: where a provider is called by it, not where a test calls us."""
    real = httpx.HTTPTransport.handle_request

    def handle(self: Any, request: Any) -> Any:
        refuse_inside_a_transaction(f"{request.method} {request.url}")
        return real(self, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)


def _check_against_the_description(request: Any) -> None:
    if "Stripe-Version" not in request.headers:
        return
    where = urlsplit(request.url)
    path = where.path[where.path.index("/v1/") :]
    sent = request.body if request.method == "POST" else where.query
    faults = pinned().request(request.method, path, sent or "")
    assert not faults, f"{request.method} {path}: {faults}"
    assert request.headers["Stripe-Version"] == pinned().version
    if request.method == "POST":
        assert request.headers.get("Idempotency-Key"), "every POST carries a key"
