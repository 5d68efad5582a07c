"""Polar's API over HTTP on this machine: JSON in front of the books, with faults on request."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app import clock as the_clock
from app.providers import standard_webhooks
from tests.support.doubles.polar.books import KINDS, Refused
from tests.support.doubles.polar.cycles import Polar
from tests.support.doubles.polar.deliveries import Deliveries
from tests.support.doubles.polar.shapes import Json, text
from tests.support.doubles.served import StandIn, served

TOKEN = "polar_oat_of_the_tests"
SECRET = "whsec_" + base64.b64encode(b"secret-secret-secret").decode()


class Running(StandIn):
    """The stand-in: its books, deliveries, and the endpoints it delivers to, as its dashboard has them."""

    trouble: Json = {"error": "InternalServerError", "detail": "Oops"}

    def begin_anew(self) -> None:
        """Another organization at the same address, on the clock of now."""
        super().begin_anew()
        self.deliveries = Deliveries(the_clock.now, standard_webhooks.keys_of(SECRET)[0])
        self.books = Polar(the_clock.now, self.deliveries.tell)
        self.endpoints: list[Json] = []

    def answered(self, method: str, address: str, headers: dict[str, str], sent: bytes) -> tuple[int, Json]:
        try:
            return answered(self, method, address, headers, sent)
        except Refused as no:
            return no.status, {"error": no.error, "detail": no.detail}


@contextmanager
def running_polar() -> Iterator[Running]:
    """An organization that answers on this machine."""
    running = Running()
    with served(running):
        yield running


def answered(running: Running, method: str, address: str, headers: dict[str, str], sent: bytes) -> tuple[int, Json]:
    """What it answers to one call. Raises Refused."""
    parts = urlsplit(address)
    asked, path = dict(parse_qsl(parts.query)), parts.path
    page = re.match(r"/checkout/polar_c_([\w-]+)\Z", path)
    if page and method == "POST":  # the hosted page, paid by its form
        return 200, {"order": running.books.pays(page[1])["id"]}
    if headers.get("Authorization") != f"Bearer {TOKEN}":
        raise Refused(401, "invalid_token", "The access token provided is invalid.")
    if headers.get("Polar-Version") != "2026-10":
        raise Refused(400, "BadVersion", "Name the version of the API.")
    document: Json = json.loads(sent) if sent else {}
    for how, pattern, verb in _CALLS:
        found = re.match(pattern + r"\Z", path)
        if found and how == method:
            return 201 if method == "POST" else 200, verb(running, found, document, asked)
    raise Refused(404, "ResourceNotFound", "Not found")


def _listed(found: list[Json], asked: dict[str, str]) -> Json:
    """A page of a list: newest first, unless `sorting` says otherwise."""
    filters = {name: value for name, value in asked.items() if name not in ("page", "limit", "sorting")}
    fitting = [each for each in found if all(_fits(each, name, value) for name, value in filters.items())]
    ordered = fitting if not asked.get("sorting", "-").startswith("-") else fitting[::-1]
    page, limit = int(asked.get("page", 1)), int(asked.get("limit", 10))
    assert 1 <= limit <= 100, "at most a hundred"
    last = -(-len(ordered) // limit)
    told = {"total_count": len(ordered), "max_page": last}
    return {"items": ordered[(page - 1) * limit : page * limit], "pagination": told}


def _fits(thing: Json, name: str, value: str) -> bool:
    if name.startswith("metadata["):
        return bool(thing["metadata"].get(name[9:-1]) == value)
    if name == "start_timestamp":
        return bool(thing["created_at"] >= value[:19])
    known = thing.get(name)
    return str(known).lower() == value if isinstance(known, bool) else known == value


def _list(running: Running, found: Any, _sent: Json, asked: dict[str, str]) -> Json:
    return _listed(list(running.books.things[found[1]].values()), asked)


def _by_our_id(running: Running, found: Any, _sent: Json, _asked: Any) -> Json:
    for known in running.books.things["customers"].values():
        if known["external_id"] == found[1]:
            return known
    raise Refused(404, "ResourceNotFound", "Not found")


def _session(running: Running, _found: Any, sent: Json, _asked: Any) -> Json:
    who = running.books.thing("customers", sent["customer_id"])
    url = f"https://sandbox.polar.sh/acme/portal?customer_session_token=polar_cst_{who['id']}"
    soon = text(the_clock.now().replace(microsecond=0))
    return {"id": "1", "customer_portal_url": url, "expires_at": soon, "return_url": sent.get("return_url")}


def _redeliver(running: Running, found: Any, _sent: Json, _asked: Any) -> Json:
    if not running.deliveries.redeliver(found[1]):
        raise Refused(404, "ResourceNotFound", "Not found")
    return {}


_Verb = Callable[[Running, Any, Json, dict[str, str]], Json]
_CALLS: tuple[tuple[str, str, _Verb], ...] = (
    ("GET", r"/v1/customers/external/([\w-]+)", _by_our_id),
    ("GET", r"/v1/webhooks/endpoints", lambda running, _f, _s, asked: _listed(running.endpoints, asked)),
    ("GET", r"/v1/webhooks/deliveries", lambda running, _f, _s, asked: _listed(running.deliveries.tried, asked)),
    ("POST", r"/v1/webhooks/events/([\w-]+)/redeliver", _redeliver),
    ("GET", rf"/v1/({'|'.join(KINDS)})/", _list),
    (
        "GET",
        rf"/v1/({'|'.join(KINDS)})/([\w-]+)",
        lambda running, found, _s, _a: running.books.thing(found[1], found[2]),
    ),
    ("POST", r"/v1/customers/", lambda running, _f, sent, _a: running.books.adds_customer(sent)),
    (
        "PATCH",
        r"/v1/customers/([\w-]+)",
        lambda running, found, sent, _a: running.books.edit(running.books.thing("customers", found[1]), **sent),
    ),
    ("POST", r"/v1/products/", lambda running, _f, sent, _a: running.books.adds_product(sent)),
    ("POST", r"/v1/checkouts/", lambda running, _f, sent, _a: running.books.opens(sent)),
    ("POST", r"/v1/customer-sessions/", _session),
    ("POST", r"/v1/refunds/", lambda running, _f, sent, _a: running.books.refunds(sent)),
    ("PATCH", r"/v1/subscriptions/([\w-]+)", lambda running, found, sent, _a: running.books.changes(found[1], sent)),
    ("DELETE", r"/v1/subscriptions/([\w-]+)", lambda running, found, _s, _a: running.books.revokes(found[1])),
)
