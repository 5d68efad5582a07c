"""How refusals are told: the status of each class, and one shape per family of addresses."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import errors, ledger
from app.extensions import db
from app.http.errors import STATUS, status_of
from tests.support.web import PageClient

SHAPES = ("/v1/odd", "/api/odd", "/orders/odd", "/payment/odd", "/odd")
SECRET = "sk_live_do_not_show"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def app(own_app: Flask) -> Flask:
    """These tests add routes to it."""
    return own_app


@pytest.fixture
def raising(app: Flask) -> Callable[[BaseException], PageClient]:
    """A client whose requests to SHAPES raise this."""
    what: list[BaseException] = []

    def fail() -> str:
        raise what[-1]

    for number, path in enumerate(SHAPES):
        app.add_url_rule(path, f"odd{number}", fail)

    def prepare(error: BaseException) -> PageClient:
        what.append(error)
        client = app.test_client()
        assert isinstance(client, PageClient)
        return client

    return prepare


def every_refusal(kind: type[errors.Refusal] = errors.Refusal) -> list[type[errors.Refusal]]:
    return [kind, *(one for child in kind.__subclasses__() for one in every_refusal(child))]


def test_every_refusal_has_a_status_and_a_code(app: Flask) -> None:
    for kind in every_refusal():
        assert 400 <= status_of(kind.__new__(kind)) < 600
        assert kind.code.replace("_", "").replace("-", "").isalnum(), kind  # the proxy's have dashes (SPEC L1)


def test_a_class_of_ours_takes_the_status_of_the_class_above() -> None:
    assert status_of(ledger.HoldEnded("Over.")) == STATUS[errors.Conflict] == 409


def test_each_family_has_its_shape(raising: Callable[[BaseException], PageClient]) -> None:
    client = raising(errors.InsufficientFunds("Too little.", needed_micros=5))
    details = {"needed_micros": 5}

    for path in ("/v1/odd", "/api/odd"):
        answer = client.get(path)
        assert answer.status_code == 402
        assert answer.get_json() == {
            "error": {"code": "INSUFFICIENT_CREDITS", "message": "Too little.", "details": details}
        }
    for path in ("/orders/odd", "/payment/odd"):
        assert client.get(path).get_json() == {
            "success": False,
            "error": {"code": "INSUFFICIENT_CREDITS", "message": "Too little.", "details": details},
        }
    page = client.get("/odd")
    assert (page.status_code, page.mimetype) == (402, "text/html")
    assert "Too little." in page.get_data(as_text=True)


def test_htmx_gets_a_notice_and_not_a_page(raising: Callable[[BaseException], PageClient]) -> None:
    part = raising(errors.Conflict("Somebody was faster.")).get("/odd", headers={"HX-Request": "true"})

    assert part.status_code == 409
    assert "<html" not in part.get_data(as_text=True)
    assert "Somebody was faster." in part.get_data(as_text=True)


def test_what_nobody_expected_shows_a_reference_and_nothing_else(
    raising: Callable[[BaseException], PageClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = raising(RuntimeError(SECRET))

    with caplog.at_level(logging.ERROR):
        answers = [client.get(path) for path in SHAPES]

    for answer in answers:
        assert answer.status_code == 500
        assert SECRET not in answer.get_data(as_text=True)
        assert "Traceback" not in answer.get_data(as_text=True)
    reference = answers[0].get_json()["error"]["details"]["reference"]
    assert reference.startswith("err_")
    assert any(reference in record.getMessage() for record in caplog.records)
    assert "err_" in answers[-1].get_data(as_text=True)


def test_a_database_that_is_out_of_order_is_503(raising: Callable[[BaseException], PageClient]) -> None:
    client = raising(OperationalError("select 1", {}, Exception(f"database is locked {SECRET}")))

    for path in SHAPES:
        answer = client.get(path)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert SECRET not in answer.get_data(as_text=True)


def test_even_a_page_that_cannot_be_rendered_says_something(
    app: Flask, raising: Callable[[BaseException], PageClient]
) -> None:
    client = raising(RuntimeError(SECRET))
    app.jinja_env.globals["shell"] = None

    answer = client.get("/odd")

    assert answer.status_code == 500
    assert "Something broke on our side" in answer.get_data(as_text=True)
    assert SECRET not in answer.get_data(as_text=True)


def test_nothing_half_done_is_left_behind(app: Flask, client: PageClient) -> None:
    @app.get("/v1/half")
    def half() -> Any:
        db.session.connection(execution_options={"writes": True})
        db.session.execute(text("UPDATE user_account SET name = 'Changed'"))
        raise errors.Conflict("No.")

    assert client.get("/v1/half").status_code == 409
    with app.app_context():
        assert not db.session().in_transaction()


@pytest.mark.parametrize("path", ["/v1/nothing", "/api/nothing", "/orders/nothing/more", "/nothing"])
def test_an_unknown_address_is_404_in_its_shape(client: PageClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert (answer.mimetype == "text/html") == (path == "/nothing")


def test_a_wrong_method_says_which_are_right(client: PageClient) -> None:
    answer = client.post("/healthz")

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["Allow"]


def test_too_many_requests_say_when_to_come_back(raising: Callable[[BaseException], PageClient]) -> None:
    client = raising(errors.TooManyRequests("Slow down.", retry_after=17))

    assert [client.get(path).headers["Retry-After"] for path in SHAPES] == ["17"] * len(SHAPES)


def test_a_missing_key_is_told_how_to_send_one(raising: Callable[[BaseException], PageClient]) -> None:
    answer = raising(errors.Unauthorized("Who are you?")).get("/v1/odd")

    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="purser"'
