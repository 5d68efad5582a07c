"""Customers who use things, by the shipped catalogues."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import ledger, metering
from app.catalogue import file, publish, shipped
from app.db import transaction
from app.metering import NewEvent, Recorded, reads
from app.metering.reads import MeterNow
from app.subscriptions import standing
from tests.support import recount
from tests.support.people import Person

_numbers = itertools.count(1)


@pytest.fixture
def catalogue(session: Session) -> Callable[[str], None]:
    """Puts a shipped catalogue on offer, or the text of one."""

    def put(name: str) -> None:
        text = shipped.text_of(name) if name in shipped.names() else name
        with transaction(session):
            publish.apply(session, file.read(text, currency="usd"), actor="test")

    return put


class User:
    """A customer whose usage is reported."""

    def __init__(self, person: Person) -> None:
        self.person, self.session, self.customer_id = person, person.session, person.customer_id

    def uses(self, meter: str, quantity: int = 1, *, id: str = "", **more: Any) -> Recorded:  # noqa: A002 - the event's own word
        return self.reports(NewEvent(id or f"ev{next(_numbers)}", meter, quantity, **more))

    def reports(self, *events: NewEvent) -> Recorded:
        with transaction(self.session):
            return metering.record(self.session, self.customer_id, events)

    def meter(self, key: str, period_start: datetime | None = None) -> MeterNow:
        with transaction(self.session):
            now = reads.meters(self.session, standing.of(self.session, self.customer_id), period_start=period_start)
        return next(meter for meter in now if meter.key == key)

    @property
    def available(self) -> int:
        self.session.rollback()
        return ledger.balance(self.session, self.person.wallet).available

    def faults(self) -> list[str]:
        self.session.rollback()
        return recount.faults(self.session, self.customer_id)

    def spends_all_but(self, micros: int) -> None:
        """Leave so much in the wallet."""
        from app.wallet import adjust

        with transaction(self.session):
            by = micros - ledger.balance(self.session, self.person.wallet).balance
            adjust.adjust(self.session, self.customer_id, by, reason="For a test", actor="system", key=str(by))


@pytest.fixture
def user(ada: Person) -> User:
    return User(ada)
