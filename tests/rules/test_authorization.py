"""Every route, asked by every kind of caller: what comes back is what tests/authorization.py says.

Pages that show something are asked on both databases, so that none is first seen on PostgreSQL by a customer. Those
that do something have tests of what they do, on both; here the question is for whom.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.customers import api_keys
from tests.authorization import CALLS, KEY_CALLERS, PAGE_CALLERS, PAGES, PUBLIC, needs, rows
from tests.support.databases import BOTH
from tests.support.people import Person

Ask = Callable[[str], FlaskClient]
Cells = dict[str, dict[str, int]]  # by route and caller

NOT_OURS = {"static"}
PLACE = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")
UNKNOWN = {
    "customer_id": "cus_none",
    "order_id": "ord_none",
    "purchase_id": "ord_none",
    "page_id": "card_none",
    "event_id": "whe_none",
    "hold_id": "hold_none",
    "notice_id": "ntc_none",
}


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, where a test does not say otherwise."""
    return request.getfixturevalue("pg_url" if getattr(request, "param", "") == "postgresql" else "sqlite_url")


def asked(client: FlaskClient, route: str, things: dict[str, str], headers: dict[str, str] | None = None) -> int:
    """The status of the answer to an empty form, or of a call an empty body."""
    verb, path = route.split()
    sent: dict[str, Any] = {}
    if headers is not None:
        sent["headers"] = {"Idempotency-Key": uuid.uuid4().hex, **headers}
        if verb in ("POST", "PUT", "PATCH"):
            sent["json"] = {}
    return client.open(filled(path, things), method=verb, **sent).status_code


def wrong(told: Cells, expected: Cells) -> dict[str, dict[str, tuple[int, int]]]:
    """The cells that are not as the table says: what came, and what should have come."""
    return {
        route: off
        for route, cells in told.items()
        if (off := {who: (came, expected[route][who]) for who, came in cells.items() if came != expected[route][who]})
    }


def changes_something(route: str) -> bool:
    """Whether somebody who posts there gets more than a refusal, so that the next route would meet other things."""
    _nobody, *others = rows(PAGES)[route]
    return not route.startswith("GET ") and any(status < 400 for status in others)


def table(text: str, callers: tuple[str, ...]) -> Cells:
    return {route: dict(zip(callers, cells, strict=True)) for route, cells in rows(text).items()}


@pytest.mark.parametrize("route", [route for route in rows(PAGES) if changes_something(route)])
def test_a_page_that_does_something_does_it_for_whom_the_table_says(
    route: str, things: dict[str, str], bo: Person, browsers: Ask
) -> None:
    told = {route: {name: asked(browsers(name), route, things) for name in PAGE_CALLERS}}

    assert wrong(told, table(PAGES, PAGE_CALLERS)) == {}


@pytest.mark.parametrize("database_url", BOTH, indirect=True)
@pytest.mark.parametrize("part", range(3))
def test_a_page_that_shows_or_refuses_answers_each_person_as_the_table_says(
    part: int, app: Flask, things: dict[str, str], bo: Person, browsers: Ask
) -> None:
    routes = [route for route in rows(PAGES) if not changes_something(route)][part::3]
    everybody = {name: browsers(name) for name in PAGE_CALLERS}

    told = {route: {name: asked(one, route, things) for name, one in everybody.items()} for route in routes}

    assert wrong(told, table(PAGES, PAGE_CALLERS)) == {}


@pytest.mark.parametrize("part", range(2))
def test_a_call_answers_each_key_as_the_table_says(
    part: int, app: Flask, things: dict[str, str], keys: dict[str, dict[str, str]], browsers: Ask
) -> None:
    client, expected = browsers("nobody"), table(CALLS, KEY_CALLERS)
    for route, cells in expected.items():
        cells |= {one: cells["to_ada"] if one == needs()[route] else 403 for one in api_keys.SERVICE_SCOPES}

    told = {
        route: {name: asked(client, route, things, sent) for name, sent in keys.items()}
        for route in list(expected)[part::2]
    }

    assert wrong(told, expected) == {}


def test_a_call_opens_to_nobody_without_a_living_key(
    app: Flask, things: dict[str, str], dead_keys: dict[str, dict[str, str]], bo: Person, browsers: Ask
) -> None:
    client, signed_in = browsers("nobody"), {name: browsers(name) for name in PAGE_CALLERS}
    expected = {route: dict.fromkeys([*dead_keys, *signed_in], cells[0]) for route, cells in rows(CALLS).items()}

    told = {
        route: {name: asked(client, route, things, sent) for name, sent in dead_keys.items()}
        | {name: asked(one, route, things, {}) for name, one in signed_in.items()}
        for route in expected
    }

    assert wrong(told, expected) == {}


def test_a_key_opens_no_page(things: dict[str, str], keys: dict[str, dict[str, str]], browsers: Ask) -> None:
    strongest, client = ("writes", "to_ada", "admin"), browsers("nobody")
    expected = {route: dict.fromkeys(strongest, cells[0]) for route, cells in rows(PAGES).items()}

    told = {
        route: {name: asked(client, route, things, keys[name]) for name in strongest}
        for route in expected
        if not route.endswith("<token>")  # what is in the mail opens it, whoever comes
    }

    assert wrong(told, expected) == {}


def test_a_public_route_answers_anybody(things: dict[str, str], browsers: Ask) -> None:
    told = {route: {"anyone": asked(browsers("nobody"), route, things)} for route in rows(PUBLIC)}

    assert wrong(told, table(PUBLIC, ("anyone",))) == {}


def test_another_customers_thing_looks_like_nothing(things: dict[str, str], bo: Person, browsers: Ask) -> None:
    bos = browsers("bo")
    routes = [route for route in rows(PAGES) if "_id>" in route]

    theirs = {route: asked(bos, route, things) for route in routes}
    nothing = {route: asked(bos, route, {**things, **UNKNOWN}) for route in routes}

    assert theirs == nothing


def test_every_scope_of_a_service_key_opens_something() -> None:
    assert set(api_keys.SERVICE_SCOPES) <= set(needs().values())


def test_every_route_has_a_row_and_every_row_a_route(app: Flask) -> None:
    routes = {
        f"{verb} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for verb in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in NOT_OURS
    }
    listed = [*rows(PAGES), *rows(CALLS), *rows(PUBLIC)]

    assert not routes - set(listed), "a route without a row in tests/authorization.py"
    assert not set(listed) - routes, "a row for a route that is gone"
    assert len(listed) == len(set(listed)), "a route in two tables"


def filled(path: str, things: dict[str, str]) -> str:
    """The address with its placeholders filled in."""
    return PLACE.sub(lambda found: things[found[1]], path)
