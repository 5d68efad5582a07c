"""A plan's reads and writes a minute: the customer's, across keys and processes, told with every answer (SPEC U6)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from app import create_app
from app.customers import api_keys
from app.db import transaction
from app.errors import LimitReached
from app.extensions import db
from app.http import limits, plan_limits
from app.subscriptions import overrides
from app.subscriptions.overrides import Negotiated
from tests.support.people import Person
from tests.support.plans import offer, put_on
from tests.support.programs import Program, error
from tests.support.web import PageClient

CHECK = "/v1/entitlements/check"  # a write to HTTP, that moves nothing


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def adas(app: Flask, session: Session, ada: Person) -> Program:
    """Ada's program, with a test key, on FREE of `agent`: 60 reads and 10 writes a minute."""
    offer(session, "agent")
    return Program(app, _key(session, ada, "test"))


def _key(session: Session, who: Person, environment: str) -> str:
    with transaction(session):
        _, text = api_keys.create_customer_key(
            session,
            who.customer_id,
            name="A program",
            permissions=("billing:read", "billing:write"),
            made_by=who.id,
            environment=environment,
        )
    return text


def write(program: Program):
    return program.post(CHECK, {"feature": "wallets"})


def test_the_eleventh_write_in_a_minute_waits(adas: Program, clock) -> None:
    assert [write(adas).status_code for _ in range(10)] == [200] * 10
    clock.advance(seconds=18)

    answer = write(adas)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "42"
    told = error(answer)
    assert told["code"] == "RATE_LIMITED"
    assert told["message"] == (
        "Free allows 10 writes a minute. Try again in 42 seconds, or move to Starter for up to 50 writes a minute."
    )
    details = told["details"]
    assert (details["limit"], details["used"], details["left"], details["plan"]) == (10, 10, 0, "FREE")
    assert (details["retry_after"], details["resets_at"], details["upgrade"]) == (42, "2026-03-14T09:31:00Z", "STARTER")
    clock.advance(seconds=42)
    assert write(adas).status_code == 200


def test_every_answer_says_what_is_left(adas: Program, clock) -> None:
    read = adas.get("/v1/entitlements")
    write(adas)
    clock.advance(seconds=20)
    refused = adas.post(CHECK, {"feature": 1})

    for answer in (read, refused):
        assert answer.headers["RateLimit-Policy"] == '"reads";q=60;w=60, "writes";q=10;w=60'
    assert read.headers["RateLimit"] == '"reads";r=59;t=60'
    assert (refused.status_code, refused.headers["RateLimit"]) == (422, '"writes";r=8;t=40')
    for _ in range(9):
        refused = write(adas)
    assert (refused.status_code, refused.headers["RateLimit"]) == (429, '"writes";r=0;t=40')
    assert adas.get("/v1/entitlements").status_code == 200  # reads are counted apart


def test_keys_of_one_customer_share_the_minute_and_others_do_not(
    app: Flask, session: Session, adas: Program, ada: Person, bo: Person
) -> None:
    for _ in range(10):
        write(adas)

    assert write(Program(app, _key(session, ada, "test"))).status_code == 429
    assert write(Program(app, _key(session, bo, "test"))).status_code == 200


def test_the_hosts_and_the_back_offices_keys_have_no_plan(
    app: Flask, session: Session, adas: Program, ada: Person, service_key: str
) -> None:
    host = Program(app, service_key, ada.customer_id)
    with transaction(session):
        _, text = api_keys.create_staff_key(session, name="Back office", role="admin")

    answers = [write(host) for _ in range(12)]
    staff = [Program(app, text).get("/admin/billing/plans") for _ in range(2)]

    assert {answer.status_code for answer in (*answers, *staff)} == {200}
    assert not [answer for answer in (*answers, *staff) if "RateLimit" in answer.headers]


def test_a_plan_that_says_nothing_leaves_each_key_its_general_limit(
    app: Flask, session: Session, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.RULES, "api.key", limits.parse("2 per minute"))
    program = Program(app, ada.key())

    answers = [program.get("/v1/billing/balance") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"calls";q=2;w=60'
    assert [answer.headers["RateLimit"] for answer in answers] == [f'"calls";r={left};t=60' for left in (1, 0, 0)]


def test_without_a_limit_nothing_is_counted(app: Flask, session: Session, adas: Program, ada: Person) -> None:
    with transaction(session):
        terms = Negotiated(limits={"rate:writes": {"amount": None}})
        overrides.set_override(session, ada.customer_id, terms, reason="Contract", actor="x")

    answers = [write(adas) for _ in range(12)]

    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].headers["RateLimit-Policy"] == '"reads";q=60;w=60'
    assert "RateLimit" not in answers[0].headers


def test_another_plan_counts_after_ten_seconds_at_most(adas: Program, ada: Person, clock) -> None:
    for _ in range(11):
        write(adas)
    put_on(ada, "STARTER")
    assert write(adas).status_code == 429

    clock.advance(seconds=plan_limits.REMEMBERED.seconds)

    answer = write(adas)
    assert (answer.status_code, answer.headers["RateLimit"]) == (200, '"writes";r=49;t=60')


def test_knowing_the_plan_costs_no_query_of_its_own(app: Flask, adas: Program) -> None:
    said: list[str] = []
    adas.get("/v1/billing/balance")
    with app.app_context():
        engine = db.engine

    def note(_connection, _cursor, statement, *_rest) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        adas.post("/v1/billing/topup", {})
    finally:
        event.remove(engine, "before_cursor_execute", note)

    verbs = [statement.split()[0] for statement in said]
    assert [verb for verb in verbs if verb != "BEGIN"] == ["SELECT", "INSERT"]  # who calls, and the count


def test_two_processes_share_the_count_however_many_call_at_once(
    app: Flask, settings, session: Session, adas: Program, kept_other: Callable[[], Flask]
) -> None:
    through: list[int] = []
    programs = [Program(one, adas.secret) for one in (app, kept_other())]
    start = threading.Barrier(6)

    def call(place: int) -> None:
        start.wait(timeout=30)
        through.extend(write(programs[place % 2]).status_code for _ in range(3))

    threads = [threading.Thread(target=call, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(through) == [200] * 10 + [429] * 8


@pytest.fixture
def kept_other(settings):
    """A second application on the same database, as another process would be."""
    made: list[Flask] = []

    def make() -> Flask:
        other = create_app(settings)
        other.config["WTF_CSRF_ENABLED"] = False
        other.test_client_class = PageClient
        made.append(other)
        return other

    yield make
    for other in made:
        other.extensions["committer"].close()
        with other.app_context():
            db.session.remove()
            db.engine.dispose()


class TestLiveKeys:
    """A live key whose plan has lost production access reads, and pays for a plan, and writes nothing else (P4)."""

    @pytest.fixture
    def live(self, app: Flask, session: Session, adas: Program, ada: Person) -> Program:
        """Made by hand: on FREE nobody gets one."""
        return Program(app, _key(session, ada, "live"))

    def test_it_reads_and_asks_and_may_pay(self, live: Program) -> None:
        assert live.get("/v1/billing/balance").status_code == 200
        assert write(live).status_code == 200
        assert live.post("/v1/billing/topup", {}).status_code == 422  # which is about the body

    def test_it_writes_nothing_else(self, app: Flask, live: Program, ada: Person) -> None:
        def write_something() -> None:
            with app.test_request_context("/checkin", method="POST"):
                plan_limits.need_production(ada.customer_id)

        with pytest.raises(LimitReached) as refused:
            write_something()
        assert refused.value.details["upgrade"] == "STARTER"
        put_on(ada, "STARTER")
        write_something()  # an upgrade counts at once
