"""Customers on the shipped catalogues. SQLite, but where a test asks for both databases by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.db import transaction
from app.entitlements import resources
from app.entitlements.resources import Acquired
from tests.support.people import Person
from tests.support.plans import offer, put_on


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def agent(session: Session, ada: Person) -> Person:
    """Ada, on FREE of the catalogue `agent`."""
    offer(session, "agent")
    return ada


@pytest.fixture
def oper(session: Session, ada: Person) -> Person:
    """Ada, on free of the catalogue `oper`, with $5.00 of welcome credit."""
    offer(session, "oper")
    return ada


@pytest.fixture
def subscribes() -> Callable[[Person, str], None]:
    """Puts somebody on a plan, paid from the wallet."""

    return put_on


@pytest.fixture
def acquires(session: Session) -> Callable[[Person, str, str], Acquired]:
    def one(who: Person, kind: str, resource_id: str) -> Acquired:
        with transaction(session):
            return resources.acquire(session, who.customer_id, kind, resource_id, actor="key_host")

    return one
