"""The upstreams' double: a real HTTP server on this machine that speaks OpenAI, OpenRouter, Anthropic and Google, whole
and streamed, keeps books of its own, and breaks off where a test wants it to.

    double.plays(Script(at=Point.MID, side="client"))   # for the next request, in the order they were given
    visit = double.visit(0); visit.arrives()            # waits until the point is reached
    visit.goes_on()  # or the other side hangs up
    visit.is_over(); visit.bill.micros                  # what it takes for this request

Its bill: the input, and every token it has streamed; nothing for failures of its own. It counts a token for every four
bytes of text begun and four for each message and tool, and every frame with something in it is one token. Only where it
told its usage and merely the good-bye is missing has it answered, and bills all of it, whoever breaks off.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.llm_play import BreaksOff, Left, Play
from tests.support.llm_script import KEYS, MODELS, PATIENCE, PLACES, PRICES, Bill, Point, Script, Visit, price_of

__all__ = ["KEYS", "MODELS", "PRICES", "Bill", "LlmDouble", "Point", "Script", "Visit", "llm_double", "price_of"]


@dataclass
class LlmDouble:
    """All four upstreams on one port of this machine."""

    visits: list[Visit] = field(default_factory=list)
    _scripts: deque[Script] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _server: ThreadingHTTPServer | None = None

    def start(self) -> LlmDouble:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (_Handler,), {"double": self}))
        server.daemon_threads, server.block_on_close = True, False
        self._server = server
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.5}, daemon=True).start()
        return self

    def stop(self) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def base_url(self, upstream: str) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}{PLACES[upstream]}"

    def environ(self) -> dict[str, str]:
        """The settings that make an installation use it."""
        keys = {f"{name.upper()}_API_KEY": key for name, key in KEYS.items()}
        return keys | {f"{name.upper()}_BASE_URL": self.base_url(name) for name in KEYS}

    def plays(self, *scripts: Script) -> None:
        """What the next requests get; those after them get a plain answer."""
        with self._changed:
            self._scripts.extend(scripts)

    def forgets(self) -> None:
        """Begin anew."""
        with self._changed:
            self.visits, self._scripts = [], deque()

    def visit(self, number: int) -> Visit:
        """The request of this number, from 0; waits for it to come."""
        with self._changed:
            there = self._changed.wait_for(lambda: len(self.visits) > number, PATIENCE)
            assert there, f"request {number} never came"
            return self.visits[number]

    @property
    def micros(self) -> int:
        """What all requests cost together; waits until each is over."""
        return sum(visit.bill.micros for visit in self.visits)

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> Visit:
        with self._changed:
            visit = Visit(path, headers, body, self._scripts.popleft() if self._scripts else Script())
            self.visits.append(visit)
            self._changed.notify_all()
        return visit


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    double: LlmDouble

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        visit = self.double._take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        play = Play(self, visit)
        try:
            ending = play.begins()
        except (Left, ConnectionError):
            ending = "left"
        except BreaksOff:
            ending = "broken"
        if ending in ("left", "broken"):
            self.close_connection = True
            with contextlib.suppress(OSError):  # the other side may be faster
                self.connection.shutdown(socket.SHUT_RDWR)
        visit.ends(ending, play.bill(ending))


@pytest.fixture(scope="session")
def _llm_server() -> Iterator[LlmDouble]:
    double = LlmDouble().start()
    yield double
    double.stop()


@pytest.fixture
def llm_double(_llm_server: LlmDouble) -> LlmDouble:
    """The upstreams' double, without visits and scripts of other tests."""
    _llm_server.forgets()
    return _llm_server
