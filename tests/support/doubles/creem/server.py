"""Creem's API over HTTP on this machine, its webhooks with their four retries, and faults on request."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app import clock as the_clock
from tests.support.doubles.creem.books import Books, Json, Refused

KEY, SECRET = "creem_test_of_the_tests", "whsec_creem_of_the_tests"
RETRIES = (timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1))
Send = Callable[[bytes, dict[str, str]], int]  # the status it was answered with


@dataclass
class Delivery:
    """One event on its way."""

    body: bytes
    due: datetime
    tries: int = 0
    ended: str = ""


@dataclass
class Running:
    """The stand-in: its address, books, deliveries, and the faults that wait. While `lost`, nothing arrives."""

    url: str = ""
    books: Books = field(init=False)
    deliveries: list[Delivery] = field(init=False)
    faults: list[tuple[str, str, int, bool]] = field(init=False)
    lost: bool = field(init=False)

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Another store at the same address."""
        self.deliveries, self.faults, self.lost = [], [], False
        self.books = Books(the_clock.now, self._tell)

    def fails(self, method: str, path: str, status: int, *, done: bool = False) -> None:
        """The next such call meets this status, or 0 for no answer; `done`: it was done all the same."""
        self.faults.append((method, path, status, done))

    def _tell(self, event: Json) -> None:
        self.deliveries.append(Delivery(json.dumps(event, separators=(",", ":")).encode(), the_clock.now()))

    def send_due(self, send: Send, *, times: int = 1, seed: int | None = None) -> None:
        """Deliver what is due, each `times` over and in another order with a seed. Only a 200 counts as taken."""
        tries = [one for one in self.deliveries if not one.ended and one.due <= the_clock.now()] * times
        if seed is not None:
            random.Random(seed).shuffle(tries)
        for one in tries:
            signed = hmac.new(SECRET.encode(), one.body, hashlib.sha256).hexdigest()
            status = 0 if self.lost else send(one.body, {"creem-signature": signed})
            one.tries += 1
            if status == 200:
                one.ended = "taken"
            elif one.tries > len(RETRIES):
                one.ended = one.ended or "given up"
            else:
                one.due = the_clock.now() + RETRIES[one.tries - 1]


@contextmanager
def running_creem() -> Iterator[Running]:
    """A store that answers on this machine."""
    running = Running()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(running))
    server.daemon_threads = True
    running.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(running: Running) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one write

        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = urlsplit(self.path).path
            with running.books.lock:
                fault = next(
                    (one for one in running.faults if one[0] == self.command and path.startswith(one[1])), None
                )
                if fault is not None:
                    running.faults.remove(fault)
                status, told = self._called(sent) if fault is None or fault[3] else (0, {})
            if fault is not None:
                status, told = fault[2], {"message": ["Oops"], "error": "Internal", "trace_id": "t1"}
            if not status:
                self.close_connection = True
                return
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def _called(self, sent: bytes) -> tuple[int, Json]:
            try:
                return 200, answered(running.books, self.command, self.path, self.headers.get("x-api-key"), sent)
            except Refused as no:
                return no.status, {"trace_id": "t1", "status": no.status, "error": "Refused", "message": [no.message]}

        do_GET = do_POST = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    return Handler


def answered(books: Books, method: str, address: str, key: str | None, sent: bytes) -> Json:
    """What it answers to one call. Raises Refused."""
    parts = urlsplit(address)
    path, asked = parts.path, dict(parse_qsl(parts.query))
    if key != KEY:
        raise Refused(401, "Invalid API key.")
    document: Json = json.loads(sent) if sent else {}
    verb = re.match(r"/v1/subscriptions/(\w+)/(upgrade|cancel|resume)\Z", path)
    if method == "POST" and verb:
        calls = {"upgrade": books.upgrades, "cancel": books.cancels}
        return calls[verb[2]](verb[1], document) if verb[2] in calls else books.resumes(verb[1])
    if method == "POST":
        return _posted(books, path, document)
    if path == "/v1/transactions/search":
        names = ("customer_id", "order_id", "product_id")
        filters = {name.removesuffix("_id"): asked[name] for name in names if name in asked}
        every = list(books.things["transactions"].values())[::-1]
        found = [one for one in every if all(one.get(name) == value for name, value in filters.items())]
        page, size = int(asked["page_number"]), int(asked["page_size"])
        more = page + 1 if page * size < len(found) else None
        return {"items": found[(page - 1) * size : page * size], "pagination": {"next_page": more}}
    kind = path.removeprefix("/v1/")
    if kind not in books.things:
        raise Refused(404, "Not found.")
    found_one = books.thing(kind, asked.get(f"{kind.removesuffix('s')}_id", ""))
    return books.whole(found_one) if kind == "subscriptions" else found_one


def _posted(books: Books, path: str, document: Json) -> Json:
    if path == "/v1/checkouts":
        return books.opens(document)
    if path == "/v1/refunds":
        return {"status": books.refunds(document["transaction_id"])["status"]}
    if path == "/v1/customers/billing":
        who = books.thing("customers", document["customer_id"])
        return {"customer_portal_link": f"https://creem.io/my-orders/login/{who['id']}"}
    raise Refused(404, "Not found.")
