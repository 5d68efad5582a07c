"""The real application behind real HTTP, with a network in between that can be made to lose requests and answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from purser_client import Purser
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass
class Network:
    """What stands between. `faults` are what happens to the next requests: "lose request", "lose answer", or a status
    with its headers; afterwards all goes well. `seen` is each request that reached it, `waits` how long clients slept.
    """

    app: Any
    url: str = ""
    faults: list[Any] = field(default_factory=list)
    seen: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, Idempotency-Key
    waits: list[float] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        self.seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_IDEMPOTENCY_KEY", "")))
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, tuple):
            start(f"{fault[0]} Fault", list(fault[1].items()))
            return [b"<h1>A proxy's page</h1>"]
        if fault != "lose request":
            answer = self.app(environ, start)
        if fault is not None:
            environ["werkzeug.socket"].shutdown(2)
            start("200 OK", [])
            return []
        return answer


@pytest.fixture
def network(app: Flask) -> Iterator[Network]:
    made = Network(app.wsgi_app)
    server = make_server("127.0.0.1", 0, made, threaded=True)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def connect(network: Network) -> Iterator[Callable[[str], Purser]]:
    """A client with this key, which notes its waiting instead of doing it."""
    made = []

    def client(key: str) -> Purser:
        made.append(Purser(network.url, key, sleep=network.waits.append))
        return made[-1]

    yield client
    for each in made:
        each.close()


@pytest.fixture
def purser(connect: Callable[[str], Purser], service_key: str) -> Purser:
    """The host product's client."""
    return connect(service_key)
