"""Customers who use things: `user` is Ada, whose usage is reported."""

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
from app.wallet import adjust
from tests.support import recount
from tests.support.people import Person

_numbers = itertools.count(1)

# A meter that is invoiced and one that the wallet pays.
BOTH_MODES = """
[meters.views]
name = "Views"
unit = "view"
overage = "invoice"
overage_price = "0.002"

[meters.calls]
name = "Calls"
unit = "call"
overage = "wallet"
overage_price = "0.001"

[plans.free]
rank = 0
name = "Free"
monthly = "0.00"
allowances = { views = 1_000, calls = 0 }
"""


@pytest.fixture
def catalogue(session: Session) -> Callable[[str], None]:
    """Puts a shipped catalogue on offer, or the text of one."""

    def put(name: str) -> None:
        text = shipped.text_of(name) if name in shipped.names() else name
        with transaction(session):
            publish.apply(session, file.read(text, currency="usd"), actor="test")

    return put


@pytest.fixture
def user(ada: Person) -> User:
    return User(ada)


class User:
    """A customer whose usage is reported."""

    def __init__(self, person: Person) -> None:
        self.person, self.session, self.customer_id = person, person.session, person.customer_id

    def uses(self, meter: str, quantity: int = 1, *, id: str = "", **more: Any) -> Recorded:  # noqa: A002 - the event's
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
        """Of the wallet, in micros."""
        with transaction(self.session):
            return ledger.balance(self.session, self.person.wallet).available

    def faults(self) -> list[str]:
        """Where what is kept differs from an independent recount."""
        with transaction(self.session):
            return recount.faults(self.session, self.customer_id)

    def has(self, micros: int) -> None:
        """Put so much into the wallet, or take all but so much out of it."""
        with transaction(self.session):
            by = micros - ledger.balance(self.session, self.person.wallet).balance
            if by:
                adjust.adjust(self.session, self.customer_id, by, reason="A test", actor="system", key=str(by))
