"""What tests of outgoing webhooks need: a receiver on this machine that keeps what it is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app.db import transaction
from app.flows import deliver_hooks
from app.outgoing import endpoints
from app.outgoing.models import WebhookEndpoint


@dataclass
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are the statuses of the next answers; afterwards it is 200. A 302 leads to itself.

    With 0 for a status it says nothing before `may_answer` is set.
    """

    url: str
    got: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(scope="session")
def _server() -> Iterator[tuple[ThreadingHTTPServer, list[Receiver]]]:
    current: list[Receiver] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            current[0].got.append(Received(self.path, headers, body))
            status = current[0].answers.pop(0) if current[0].answers else 200
            if status == 0:
                current[0].may_answer.wait(10)
            self.send_response(status or 200)
            if status == 302:
                self.send_header("location", current[0].url)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server, current
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def receiver(_server: tuple[ThreadingHTTPServer, list[Receiver]]) -> Receiver:
    server, current = _server
    current[:] = [Receiver(f"http://127.0.0.1:{server.server_port}/hooks")]
    return current[0]


@pytest.fixture
def listens(session: Session, receiver: Receiver) -> Callable[..., tuple[WebhookEndpoint, str]]:
    """Opens an endpoint for these types, all of them if none are named, at the receiver."""

    def open_one(*types: str) -> tuple[WebhookEndpoint, str]:
        with transaction(session):
            return endpoints.open_endpoint(session, receiver.url, types, private=True, actor="staff:usr_1")

    return open_one


@pytest.fixture
def work(engine: Engine) -> Callable[[], int]:
    """What the worker does: sends everything that is due now."""
    return lambda: deliver_hooks.deliver_due(sessionmaker(engine), private=True)
