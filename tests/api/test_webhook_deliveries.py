"""GET /v1/webhook-deliveries and /v1/webhook-deliveries/:id, POST …/resend"""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import outgoing
from app.activity.models import Activity
from app.customers import api_keys
from app.db import transaction
from app.outgoing import deliveries, endpoints
from app.outgoing.deliveries import WAITS
from app.outgoing.models import WebhookDelivery, WebhookEndpoint
from tests.support.people import Person
from tests.support.programs import Program, error
from tests.support.time import Clock

PATH = "/v1/webhook-deliveries"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def host(app: Flask, service_key: str) -> Program:
    return Program(app, service_key)


@pytest.fixture
def sent(session: Session, ada: Person, bo: Person, clock: Clock) -> list[str]:
    """Three deliveries: Ada's was answered 500 for three days, Bo's first went through, his second waits."""
    with transaction(session):
        endpoints.open_endpoint(session, "https://example.com/hooks", (), private=False, actor="system")
        outgoing.emit(session, ada.customer_id, "wallet.low", {"available_micros": 1}, key="a")
    began = clock.now
    for _ in range(len(WAITS) + 1):
        with transaction(session):
            parcel = deliveries.take(session, 1)[0]
            deliveries.record(session, parcel, deliveries.Answer(500, None, 12))
        clock.advance(days=1)
    clock.set(began + timedelta(days=20))
    with transaction(session):  # three days of failures have switched it off
        endpoints.switch_on(session, session.query(WebhookEndpoint).one().id, actor="system")
    with transaction(session):
        outgoing.emit(session, bo.customer_id, "wallet.credited", {}, key="b")
        deliveries.record(session, deliveries.take(session, 1)[0], deliveries.Answer(204, None, 3))
    clock.advance(minutes=1)
    with transaction(session):
        outgoing.emit(session, bo.customer_id, "invoice.paid", {}, key="c")
    return [row.id for row in session.query(WebhookDelivery).order_by(WebhookDelivery.created_at)]


def test_the_log_is_newest_first_and_by_pages(host: Program, sent: list[str]) -> None:
    whole = host.get(PATH).get_json()
    assert [one["id"] for one in whole["deliveries"]] == sent[::-1]
    assert whole["next_cursor"] is None

    first = host.get(f"{PATH}?limit=2").get_json()
    rest = host.get(f"{PATH}?limit=2&cursor={first['next_cursor']}").get_json()
    assert [one["id"] for one in first["deliveries"] + rest["deliveries"]] == sent[::-1]
    assert rest["next_cursor"] is None


def test_it_finds_what_gave_up_and_whose_it_is(host: Program, sent: list[str], bo: Person) -> None:
    def ids(query: str) -> list[str]:
        return [one["id"] for one in host.get(f"{PATH}?{query}").get_json()["deliveries"]]

    assert ids("state=gave_up") == sent[:1]
    assert ids("state=delivered") == sent[1:2]
    assert ids("type=invoice.paid") == sent[2:]
    assert ids(f"customer={bo.customer_id}") == sent[:0:-1]
    for query, field, status in (
        ("state=lost", "state", 422), ("type=none", "type", 422), ("cursor=dlv_none", "cursor", 422),
        ("customer=cus_none", "customer", 404), ("limit=201", "limit", 422), ("before=1", "before", 422),
    ):  # fmt: skip
        answer = host.get(f"{PATH}?{query}")
        assert (answer.status_code, error(answer)["details"]["field"]) == (status, field), query


def test_one_has_its_message_and_tries(host: Program, sent: list[str], ada: Person) -> None:
    told = host.get(f"{PATH}/{sent[0]}").get_json()

    assert (told["type"], told["customer"], told["url"]) == ("wallet.low", ada.customer_id, "https://example.com/hooks")
    assert told["message"]["data"]["available_micros"] == 1
    assert len(told["tries"]) == told["attempts"] == len(WAITS) + 1
    assert {(one["status"], one["milliseconds"]) for one in told["tries"]} == {(500, 12)}
    missing = host.get(f"{PATH}/dlv_none")
    assert (missing.status_code, error(missing)["code"]) == (404, "NOT_FOUND")


def test_sending_again_makes_it_due_now(host: Program, sent: list[str], session: Session, clock: Clock) -> None:
    answer = host.post(f"{PATH}/{sent[1]}/resend")

    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["state"], told["next_attempt_at"], told["delivered_at"]) == ("pending", "2026-04-03T09:31:00Z", None)
    session.rollback()
    line = session.query(Activity).filter_by(action="outgoing.sent_again").one()
    assert (line.actor[:4], line.subject) == ("key_", sent[1])
    assert deliveries.is_due(session)


def test_sending_again_waits_for_its_endpoint(host: Program, sent: list[str], session: Session) -> None:
    with transaction(session):
        endpoints.switch_off(session, session.query(WebhookEndpoint).one().id, why=None, actor="system")

    answer = host.post(f"{PATH}/{sent[1]}/resend")

    assert (answer.status_code, error(answer)["code"]) == (409, "CONFLICT")


def test_it_takes_a_service_key_with_the_scope(app: Flask, sent: list[str], session: Session, ada: Person) -> None:
    with transaction(session):
        _, narrow = api_keys.create_service_key(session, name="Reads", scopes=["billing:read"])

    assert Program(app, narrow).get(PATH).status_code == 200
    assert Program(app, narrow).post(f"{PATH}/{sent[0]}/resend").status_code == 403
    assert Program(app, ada.key()).get(PATH).status_code == 403
