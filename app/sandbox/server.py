"""A small threaded server for the sandbox: alone on a port, or for the length of a test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from app.sandbox.application import create_sandbox
from app.sandbox.config import SandboxConfig
from app.sandbox.core import Sandbox
from app.sandbox.deliverer import Deliverer, deliver_due


class OneWrite(WSGIRequestHandler):
    """Sends headers and body together: apart, each call would wait some 40 ms for the other side's acknowledgement."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log(self, kind: str, message: str, *args: Any) -> None:
        """Say nothing: the console shows what happened."""


@dataclass(frozen=True)
class Running:
    """A sandbox that answers."""

    url: str
    app: Flask

    @property
    def sandbox(self) -> Sandbox:
        """Its core: clock, store, faults."""
        core: Sandbox = self.app.extensions["sandbox"]
        return core

    def deliver(self) -> int:
        """Send the events that are due now; says how many attempts that took."""
        return deliver_due(self.sandbox)

    def advance(self, seconds: int) -> None:
        """Move its clock forward."""
        self.sandbox.clock.advance(seconds)


@contextmanager
def running_sandbox(config: SandboxConfig, *, delivers: bool = True, port: int = 0) -> Iterator[Running]:
    """A sandbox on loopback, with its pages at its own address unless the configuration names another.

    With `delivers` false nothing is sent until `Running.deliver` is called.
    """
    server = _server(port)
    url = f"http://127.0.0.1:{server.server_port}"
    app = create_sandbox(config if config.base_url else replace(config, base_url=url))
    server.app = app
    deliverer = start_delivery(app) if delivers else None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox", daemon=True)
    thread.start()
    try:
        yield Running(url, app)
    finally:
        if deliverer is not None:
            deliverer.stop()
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["sandbox"].close()


def start_delivery(app: Flask) -> Deliverer:
    """Deliver in the background from now on, until `.stop()`."""
    return Deliverer(app.extensions["sandbox"])


def _server(port: int) -> BaseWSGIServer:
    def not_yet(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("503 Service Unavailable", [("Content-Length", "0")])
        return []

    return make_server("127.0.0.1", port, not_yet, threaded=True, request_handler=OneWrite)
