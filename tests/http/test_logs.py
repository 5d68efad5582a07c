"""The log: one line for a request, and no secret in it."""

from __future__ import annotations

import json
import logging

import pytest
from flask import Flask
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from app.http import logs
from app.notices.models import Mail
from tests.support.people import PASSWORD, Person
from tests.support.web import PageClient
from tests.web.people_pages import link, mails, sign_in


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]


def test_a_request_is_one_line_with_an_id(client: PageClient, capsys: pytest.CaptureFixture[str]) -> None:
    answer = client.get("/sign-in")

    (line,) = lines(capsys)
    assert (line["method"], line["rule"], line["status"]) == ("GET", "/sign-in", 200)
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["time"] == "2026-03-14T09:30:00Z"


@pytest.mark.parametrize(
    ("given", "kept"), [("abcd-1234", True), ("a b", False), ("x" * 65, False), ("a\x1b[31m", False)]
)
def test_an_id_from_outside_is_kept_when_it_is_harmless(client: PageClient, given: str, kept: bool) -> None:
    answer = client.get("/sign-in", headers={"X-Request-ID": given})

    assert (answer.headers["X-Request-ID"] == given) is kept


def test_no_secret_gets_into_it(client: PageClient, session, ada: Person, capsys: pytest.CaptureFixture[str]) -> None:
    key = ada.key()
    sign_in(client, ada.email)
    client.post("/forgot-password", data={"email": ada.email})
    path = link(mails(session, ada.email)[0])
    client.get(path)
    client.get("/v1/billing/balance", headers={"Authorization": f"Bearer {key}"})
    cookie = client.get_cookie("session")
    logging.getLogger("app.somewhere").error("it broke with %s", f"Bearer {key}")

    told = capsys.readouterr().err

    assert "/reset-password/<token>" in told
    assert "it broke with" in told
    for secret in (key, path.rsplit("/", 1)[1], PASSWORD, cookie.value, ada.email):
        assert secret not in told


def test_a_failing_statement_is_logged_without_its_values(
    app: Flask, session, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = {"id": "mail_1", "body": "Hello, sign in at /reset-password/of-this-test"}

    with pytest.raises(DBAPIError) as broken:
        session.execute(insert(Mail), letter)
    session.rollback()
    logging.getLogger("app.somewhere").error("it broke", exc_info=broken.value)

    told = capsys.readouterr().err
    assert "INSERT INTO mail" in told
    assert "of-this-test" not in told


def test_only_known_fields_are_written(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    logs.log.info("payment", order_id="ord_1", card="4242 4242 4242 4242", password=PASSWORD)

    (line,) = lines(capsys)
    assert line["order_id"] == "ord_1"
    assert set(line) == {"event", "level", "time", "order_id"}


def test_a_line_is_one_line_whatever_is_in_it(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    logs.log.warning('forged\n{"event": "all is well"}\x1b[2J')

    told = capsys.readouterr().err

    assert len(told.splitlines()) == 1
    assert "\x1b" not in told
