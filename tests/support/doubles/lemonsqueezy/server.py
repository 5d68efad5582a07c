"""Lemon Squeezy's API over HTTP on this machine: JSON:API in front of the books, with faults on request."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app import clock as the_clock
from tests.support.doubles.lemonsqueezy.books import STORE, Books, Json, Refused
from tests.support.doubles.lemonsqueezy.deliveries import Deliveries

KEY, SECRET = "key_of_the_tests", "lemons_of_the_tests_only"
_LISTS = ("orders", "subscription-invoices", "prices")
_ONE = re.compile(r"/v1/([a-z-]+)/([\w-]+)\Z")
_VERB = re.compile(r"/v1/(orders|subscription-invoices)/(\d+)/(refund|subscriptions)\Z")


@dataclass
class Fault:
    """What the next call of this method meets: a status, or 0 for no answer; `done` says whether it was done."""

    method: str
    status: int
    done: bool = False


@dataclass
class Lemon:
    """The stand-in: its address, books, deliveries, and the faults that wait."""

    url: str
    books: Books
    deliveries: Deliveries
    webhooks: list[Json] = field(default_factory=list)  # endpoints, as its dashboard has them
    faults: list[Fault] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def fails(self, method: str, status: int, *, done: bool = False) -> None:
        self.faults.append(Fault(method, status, done))


@contextmanager
def running_lemon() -> Iterator[Lemon]:
    """A store that answers for the length of a test, on the test's clock."""
    deliveries = Deliveries(the_clock.now, SECRET)
    lemon = Lemon("", Books(the_clock.now, deliveries.tell), deliveries)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(lemon))
    server.daemon_threads = True
    lemon.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="lemon", daemon=True)
    thread.start()
    try:
        yield lemon
    finally:
        server.shutdown()
        server.server_close()


def _handler(lemon: Lemon) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one write
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(length)
            lemon.calls.append(f"{self.command} {self.path}")
            fault = next((one for one in lemon.faults if one.method == self.command), None)
            if fault is not None:
                lemon.faults.remove(fault)
            status, answer = (500, {}) if fault and not fault.done else self._done(sent)
            if fault is not None and fault.status == 0:
                self.close_connection = True  # without a word
                return
            self._write(fault.status if fault else status, answer)

        def _done(self, sent: bytes) -> tuple[int, Any]:
            try:
                with lemon.books.lock:
                    return answered(lemon, self.command, self.path, dict(self.headers), sent)
            except Refused as no:
                return no.status, {"errors": [{"status": str(no.status), "title": "No", "detail": no.detail}]}

        def _write(self, status: int, answer: Any) -> None:
            body = json.dumps(answer).encode() if answer is not None else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.api+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    return Handler


def answered(lemon: Lemon, method: str, address: str, headers: dict[str, str], sent: bytes) -> tuple[int, Any]:
    """What it answers to one call. Raises Refused."""
    parts = urlsplit(address)
    path, asked = parts.path, dict(parse_qsl(parts.query))
    if path.startswith("/checkout/") and method == "POST":  # the hosted page, paid by its form
        form = dict(parse_qsl(sent.decode()))
        return 200, {"order": lemon.books.pays(path.rsplit("/", 1)[1], email=form.get("email"))["id"]}
    if headers.get("Authorization") != f"Bearer {KEY}":
        raise Refused(401, "Unauthenticated.")
    if headers.get("Accept") != "application/vnd.api+json":
        raise Refused(406, "This is a JSON:API.")
    verb, one = _VERB.match(path), _ONE.match(path)
    if method == "GET":
        return 200, _read(lemon, path, asked, verb, one)
    document = json.loads(sent) if sent else {}
    if method == "POST" and path == "/v1/checkouts":
        return 201, {"data": lemon.books.opens(document)}
    if method == "POST" and verb and verb[3] == "refund":
        wanted = document["data"]["attributes"].get("amount")
        return 200, {"data": lemon.books.refunds(verb[1], verb[2], wanted)}
    if one and one[1] == "subscriptions" and method == "PATCH":
        return 200, {"data": lemon.books.changes(one[2], document["data"]["attributes"])}
    if one and one[1] == "subscriptions" and method == "DELETE":
        return 200, {"data": lemon.books.cancels(one[2])}
    raise Refused(404, "The requested resource does not exist.")


def _read(lemon: Lemon, path: str, asked: dict[str, str], verb: Any, one: Any) -> Json:
    if path.endswith("/me"):
        return {"data": {"type": "users", "id": "1", "attributes": {}}, "meta": {"test_mode": True}}
    if path == f"/v1/stores/{STORE}":
        return {"data": {"type": "stores", "id": STORE, "attributes": {"name": "Acme", "currency": "USD"}}}
    if path == "/v1/webhooks":
        hooks = enumerate(lemon.webhooks, start=1)
        return _page([{"type": "webhooks", "id": str(number), "attributes": told} for number, told in hooks], asked)
    if verb and verb[3] == "subscriptions":
        return _page(lemon.books.begun_by(verb[2]), asked)
    if one:
        return {"data": _shown(lemon.books.thing(one[1], one[2]))}
    kind = path.removeprefix("/v1/")
    if kind not in _LISTS:
        raise Refused(404, "The requested resource does not exist.")
    return _page([each for each in lemon.books.things[kind].values() if _fits(each, asked)][::-1], asked)


def _fits(thing: Json, asked: dict[str, str]) -> bool:
    filters = {name[7:-1]: value for name, value in asked.items() if name.startswith("filter[")}
    return all(str(thing["attributes"].get(name)) == value for name, value in filters.items())


def _page(found: list[Json], asked: dict[str, str]) -> Json:
    number, size = int(asked.get("page[number]", 1)), int(asked.get("page[size]", 10))
    last = max(1, -(-len(found) // size))
    shown = [_shown(each) for each in found[(number - 1) * size : number * size]]
    return {"data": shown, "meta": {"page": {"currentPage": number, "lastPage": last, "total": len(found)}}}


def _shown(thing: Json) -> Json:
    return {name: value for name, value in thing.items() if name != "began"}
