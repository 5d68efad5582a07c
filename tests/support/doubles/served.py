"""A stand-in for a provider, served over HTTP on this machine: one call after the other, with faults on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What the next such call meets: a status, or 0 for no answer; `done`: it was done all the same."""

    method: str
    path: str
    status: int
    done: bool


class StandIn:
    """One account at a provider, at `url` while it is served. What was called stands in `calls`."""

    url = ""
    speaks = "application/json"
    trouble: Json = {}  # what it says instead of what it did

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Another account at the same address."""
        self.faults: list[Fault] = []
        self.calls: list[str] = []

    def fails(self, method: str, path: str, status: int, *, done: bool = False) -> None:
        """The next call of this method, to a path that begins so, meets this status, or 0 for no answer."""
        self.faults.append(Fault(method, path, status, done))

    def answered(self, method: str, address: str, headers: dict[str, str], sent: bytes) -> tuple[int, Any]:
        """What it answers to one call: the status, and what becomes JSON."""
        raise NotImplementedError

    def called(self, method: str, address: str, headers: dict[str, str], sent: bytes) -> tuple[int, Any]:
        """The same, unless a fault waits for it; status 0 is no answer."""
        self.calls.append(f"{method} {address}")
        fault = next((one for one in self.faults if one.method == method and address.startswith(one.path)), None)
        if fault is None:
            return self.answered(method, address, headers, sent)
        self.faults.remove(fault)
        if fault.done:
            self.answered(method, address, headers, sent)
        return fault.status, self.trouble


@contextmanager
def served(there: StandIn) -> Iterator[None]:
    """It answers for as long as this is open."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(there, threading.Lock()))
    server.daemon_threads = True
    there.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(there: StandIn, lock: threading.Lock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one write
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                status, told = there.called(self.command, self.path, dict(self.headers), sent)
            if not status:
                self.close_connection = True  # without a word
                return
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", there.speaks)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    return Handler
