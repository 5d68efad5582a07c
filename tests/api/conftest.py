"""Programs that call the API: with a customer's key, or with the host product's key in a customer's name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.customers import api_keys
from app.db import transaction
from tests.support.card_paid import Cardholder
from tests.support.fake_provider import FakeProvider
from tests.support.people import Person
from tests.support.programs import Program


@pytest.fixture
def stranger(app: Flask) -> Program:
    """A program without a key."""
    return Program(app)


@pytest.fixture
def program(app: Flask) -> Callable[[str], Program]:
    """A program with this key."""
    return lambda secret: Program(app, secret)


@pytest.fixture
def adas(app: Flask, ada: Person) -> Program:
    """Ada's own program, which may read and write."""
    return Program(app, ada.key())


@pytest.fixture
def host(app: Flask, ada: Person, service_key: str) -> Program:
    """The host product's back end, acting for Ada."""
    return Program(app, service_key, ada.customer_id)


@pytest.fixture
def staff(app: Flask, session: Session) -> Program:
    """A program of the back office, which may do everything."""
    with transaction(session):
        _, text = api_keys.create_staff_key(session, name="Back office", role="admin")
    return Program(app, text)


@pytest.fixture
def provider(app: Flask) -> FakeProvider:
    """The payment provider behind the API: one in memory."""
    fake = FakeProvider()
    app.extensions["providers"] = {fake.name: fake}
    return fake


@pytest.fixture
def theirs(app: Flask, cardholder: Cardholder, service_key: str) -> Program:
    """The host product, acting for somebody with a saved card."""
    app.extensions["providers"] = cardholder.providers
    return Program(app, service_key, cardholder.customer_id)
