"""Lemon Squeezy's API over HTTP on this machine: JSON:API in front of the books, with faults on request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app import clock as the_clock
from tests.support.doubles.lemonsqueezy.books import STORE, Books, Json, Refused
from tests.support.doubles.lemonsqueezy.deliveries import Deliveries
from tests.support.doubles.served import StandIn, served

KEY, SECRET = "key_of_the_tests", "lemons_of_the_tests_only"
_LISTS = ("orders", "subscription-invoices", "prices")
_ONE = re.compile(r"/v1/([a-z-]+)/([\w-]+)\Z")
_VERB = re.compile(r"/v1/(orders|subscription-invoices)/(\d+)/(refund|subscriptions)\Z")


class Lemon(StandIn):
    """The stand-in: its books, deliveries, and its endpoints, as its dashboard has them."""

    speaks = "application/vnd.api+json"

    def begin_anew(self) -> None:
        """Another store at the same address, on the clock of now."""
        super().begin_anew()
        self.deliveries = Deliveries(the_clock.now, SECRET)
        self.books = Books(the_clock.now, self.deliveries.tell)
        self.webhooks: list[Json] = []

    def answered(self, method: str, address: str, headers: dict[str, str], sent: bytes) -> tuple[int, Any]:
        try:
            return answered(self, method, address, headers, sent)
        except Refused as no:
            return no.status, {"errors": [{"status": str(no.status), "title": "No", "detail": no.detail}]}


@contextmanager
def running_lemon() -> Iterator[Lemon]:
    """A store that answers on this machine."""
    lemon = Lemon()
    with served(lemon):
        yield lemon


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
