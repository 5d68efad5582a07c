"""Delivering what the host product is told: signed, once per event, tried again, given up, switched off."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from app import clock as the_clock
from app import outgoing
from app.db import transaction
from app.flows import deliver_hooks
from app.outgoing import deliveries, endpoints
from app.outgoing.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.outgoing.signing import signature
from tests.outgoing.conftest import Received, Receiver
from tests.support.people import Person
from tests.support.time import Clock

Listens = Callable[..., tuple[WebhookEndpoint, str]]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_it_signs_as_standard_webhooks_does() -> None:
    # The example of the specification's reference libraries.
    secret, body = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'

    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_receiver_can_verify_what_it_gets(
    session: Session, ada: Person, receiver: Receiver, listens: Listens, work: Callable[[], int]
) -> None:
    _, secret = listens()
    ada.gets(2_500)

    assert work() == 1

    got = receiver.got[0]
    assert verified(got, secret)
    told = json.loads(got.body)
    assert (told["type"], told["data"]["amount_micros"]) == ("wallet.credited", 25_000_000)
    assert told["data"]["customer"] == ada.customer_id
    assert (work(), len(receiver.got)) == (0, 1)
    assert [delivery.state for delivery in kept(session)] == ["delivered"]


def test_the_documented_check_believes_it_and_nothing_else(
    ada: Person, receiver: Receiver, listens: Listens, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: dict[str, Any] = {}
    exec(Path("docs/webhooks.md").read_text().partition("```python")[2].partition("```")[0], shown)
    monkeypatch.setattr("time.time", lambda: the_clock.now().timestamp())
    _, secret = listens()
    ada.gets(2_500)
    work()
    got = receiver.got[0]

    assert shown["verified"](secret, got.headers, got.body)
    assert not shown["verified"](secret, got.headers, got.body + b" ")
    old = {**got.headers, "webhook-timestamp": str(int(got.headers["webhook-timestamp"]) - 301)}
    assert not shown["verified"](secret, old, got.body)


def test_it_tells_only_those_who_asked(
    session: Session, ada: Person, receiver: Receiver, listens: Listens, work: Callable[[], int]
) -> None:
    listens("invoice.paid")
    ada.gets(2_500)

    assert work() == 0
    assert receiver.got == []


def test_the_same_cause_is_told_once(
    session: Session, ada: Person, receiver: Receiver, listens: Listens, work: Callable[[], int]
) -> None:
    listens()
    for _ in range(2):
        with transaction(session):
            outgoing.emit(session, ada.customer_id, "wallet.low", {"available_micros": 1}, key="low:1")

    work()

    assert len(receiver.got) == 1


def test_it_tries_again_with_the_same_bytes_and_gives_up_after_three_days(
    session: Session, ada: Person, clock: Clock, receiver: Receiver, listens: Listens, work: Callable[[], int]
) -> None:
    endpoint, secret = listens()
    receiver.answers = [500, 302, *[404] * 20]
    ada.gets(2_500)
    begun = the_clock.now()

    for wait in deliveries.WAITS:
        assert work() == 1
        assert work() == 0, "not before its time"
        clock.advance(seconds=wait.total_seconds())
    work()

    assert len(receiver.got) == len(deliveries.WAITS) + 1, "and a redirect is never followed"
    assert {got.body for got in receiver.got} == {receiver.got[0].body}
    assert all(verified(got, secret) for got in receiver.got)
    assert timedelta(days=3) < the_clock.now() - begun < timedelta(days=4)
    assert [delivery.state for delivery in kept(session)] == ["gave_up"]
    session.refresh(endpoint)
    assert (endpoint.state, endpoint.why) == ("off", endpoints.FAILING)
    log = session.scalars(select(WebhookAttempt).order_by(WebhookAttempt.number)).all()
    assert [attempt.status for attempt in log] == [500, 302, *[404] * 8]


def test_an_endpoint_that_is_off_keeps_what_waits_until_it_is_on(
    session: Session, ada: Person, receiver: Receiver, listens: Listens, work: Callable[[], int]
) -> None:
    endpoint, _ = listens()
    ada.gets(2_500)
    with transaction(session):
        endpoints.switch_off(session, endpoint.id, why=None, actor="staff:usr_1")

    assert work() == 0
    with transaction(session):
        endpoints.switch_on(session, endpoint.id, actor="staff:usr_1")

    assert (work(), len(receiver.got)) == (1, 1)


def test_gone_switches_it_off_at_once(
    session: Session, ada: Person, receiver: Receiver, listens: Listens, work: Callable[[], int]
) -> None:
    endpoint, _ = listens()
    receiver.answers = [410]
    ada.gets(2_500)

    work()

    session.refresh(endpoint)
    assert (endpoint.state, endpoint.why) == ("off", endpoints.GONE)
    assert [delivery.state for delivery in kept(session)] == ["stopped"]


def test_staff_send_it_again(
    session: Session, ada: Person, receiver: Receiver, listens: Listens, work: Callable[[], int]
) -> None:
    listens()
    ada.gets(2_500)
    work()
    first = kept(session)[0]

    with transaction(session):
        deliveries.send_again(session, first.customer_id, first.id, actor="staff:usr_1")
    work()

    assert [got.headers["webhook-id"] for got in receiver.got] == [first.event_id] * 2


def test_both_secrets_sign_for_a_day_after_one_was_replaced(
    session: Session, ada: Person, clock: Clock, receiver: Receiver, listens: Listens, work: Callable[[], int]
) -> None:
    endpoint, old = listens()
    with transaction(session):
        _, new = endpoints.replace_secret(session, endpoint.id, actor="staff:usr_1")
    ada.gets(2_500)
    work()
    clock.advance(days=1)
    ada.gets(2_500)
    work()

    assert [verified(got, old) for got in receiver.got] == [True, False]
    assert [verified(got, new) for got in receiver.got] == [True, True]


def test_a_private_address_is_never_called_unless_it_is_allowed(
    session: Session, engine: Engine, ada: Person, receiver: Receiver, listens: Listens
) -> None:
    listens()
    ada.gets(2_500)

    deliver_hooks.deliver_due(sessionmaker(engine), private=False)

    assert receiver.got == []
    assert kept(session)[0].last_error == "The address is not one we send to."


def test_a_worker_that_dies_leaves_it_to_the_next(
    session: Session, ada: Person, clock: Clock, receiver: Receiver, listens: Listens, work: Callable[[], int]
) -> None:
    listens()
    ada.gets(2_500)
    with transaction(session):
        taken = deliveries.take(session, 1)
    assert work() == 0, "it is leased"

    clock.advance(minutes=2)
    assert work() == 1

    with transaction(session):
        assert not deliveries.record(session, taken[0], deliveries.Answer(500, None, 1)), "too late to say"
    assert [delivery.state for delivery in kept(session)] == ["delivered"]


def test_a_receiver_that_never_ends_its_answer_is_left_to_itself(
    session: Session, ada: Person, receiver: Receiver, listens: Listens, work: Callable[[], int], monkeypatch: Any
) -> None:
    monkeypatch.setattr(deliver_hooks, "DEADLINE", 0.2)
    listens()
    receiver.answers = [0]
    ada.gets(2_500)

    assert work() == 1
    receiver.may_answer.set()

    assert [(one.state, one.last_error) for one in kept(session)] == [("pending", "The receiver took too long.")]


def kept(session: Session) -> list[WebhookDelivery]:
    session.rollback()
    session.expire_all()
    return list(session.scalars(select(WebhookDelivery)))


def verified(got: Received, secret: str) -> bool:
    """As a receiver checks it, from the specification alone."""
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    code = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(code).decode()
    return any(hmac.compare_digest(wanted, each) for each in got.headers["webhook-signature"].split(" "))
