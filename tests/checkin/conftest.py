"""What tests of the check-in need: rules that are on, and a customer's zone changed as it would be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import checkin
from app.catalogue import check_in as rules
from app.catalogue.terms import CheckInTerms
from app.checkin.models import CheckIn
from app.customers import customers
from app.db import transaction
from tests.support.people import Person


@pytest.fixture
def set_rules(session: Session) -> Callable[..., None]:
    """`set_rules(credits=10, bonuses=((7, 30),))`: check-in is on by these, for everyone if nothing else is said."""

    def put(*, is_on: bool = True, **terms: Any) -> None:
        wanted = CheckInTerms(**{"credits": 10, "bonuses": ((7, 30),), "who": "everyone", **terms})
        with transaction(session):
            rules.save(session, wanted, is_on=is_on, actor="system")

    return put


@pytest.fixture
def check_in(session: Session, ada: Person) -> Callable[[], CheckIn]:
    """Ada checks in now."""

    def verb() -> CheckIn:
        with transaction(session):
            return checkin.check_in(session, ada.customer_id, actor=ada.id)

    return verb


@pytest.fixture
def move_to(session: Session, ada: Person) -> Callable[[str], None]:
    """Ada's customer counts its days in this zone from now on."""

    def verb(zone: str) -> None:
        with transaction(session):
            customer = customers.by_id(session, ada.customer_id)
            assert customer is not None
            customers.set_time_zone(session, customer, zone, actor=ada.id)

    return verb
