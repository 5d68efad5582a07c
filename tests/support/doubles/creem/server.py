"""Creem's API over HTTP on this machine, its webhooks with their four retries, and faults on request."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from app import clock as the_clock
from tests.support.doubles.creem.books import Books, Json, Refused
from tests.support.doubles.served import StandIn, served

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


class Running(StandIn):
    """The stand-in: its books and deliveries. While `lost`, nothing arrives."""

    trouble: Json = {"message": ["Oops"], "error": "Internal", "trace_id": "t1"}

    def begin_anew(self) -> None:
        """Another store at the same address."""
        super().begin_anew()
        self.deliveries: list[Delivery] = []
        self.lost = False
        self.books = Books(the_clock.now, self._tell)

    def answered(self, method: str, address: str, headers: dict[str, str], sent: bytes) -> tuple[int, Json]:
        try:
            return 200, answered(self.books, method, address, headers.get("x-api-key"), sent)
        except Refused as no:
            return no.status, {"trace_id": "t1", "status": no.status, "error": "Refused", "message": [no.message]}

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
    with served(running):
        yield running


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
