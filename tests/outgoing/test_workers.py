"""Delivering with several workers, and with one that dies: each message is sent, by one of them, never lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from app import notices, outgoing
from app.db import transaction
from app.flows import deliver_hooks
from app.outgoing.models import WebhookDelivery, WebhookEndpoint
from tests.outgoing.conftest import Receiver
from tests.support.crashes import Crash, Doom
from tests.support.people import Person
from tests.support.time import Clock

Listens = Callable[..., tuple[WebhookEndpoint, str]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "pg_url")


def test_many_workers_send_each_once(
    session: Session, ada: Person, receiver: Receiver, listens: Listens, work: Callable[[], int]
) -> None:
    listens()
    with transaction(session):
        for number in range(12):
            outgoing.emit(session, ada.customer_id, "wallet.low", {"number": number}, key=f"low:{number}")

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: work(), range(4))) == 12

    assert sorted(json.loads(got.body)["data"]["number"] for got in receiver.got) == list(range(12))


def test_two_at_once_tell_of_one_cause_once(engine: Engine, session: Session, ada: Person) -> None:
    def tell(_number: int) -> bool:
        with sessionmaker(engine)() as mine, transaction(mine):
            facts = {"available_micros": 1, "threshold_micros": 2}
            return notices.tell(mine, ada.customer_id, "wallet_low", key="the-same", **facts)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(tell, range(8))) == 1


def test_a_crash_anywhere_loses_nothing(
    session: Session, engine: Engine, ada: Person, clock: Clock, receiver: Receiver, listens: Listens
) -> None:
    listens()
    for point in range(20):
        ada.gets(100)
        doom = Doom(point)
        with suppress(Crash):
            deliver_hooks.deliver_due(doom.sessions(engine), private=True)
        clock.advance(minutes=2)
        deliver_hooks.deliver_due(sessionmaker(engine), private=True)
        if doom.passed <= point:
            break

    session.expire_all()
    found = session.scalars(select(WebhookDelivery)).all()
    told = {got.headers["webhook-id"] for got in receiver.got}
    assert told == {delivery.event_id for delivery in found}
    assert {delivery.state for delivery in found} == {"delivered"}
    assert point > 5, "the work has that many steps at least"
