"""Polar in tests: `polar` is a stand-in on this machine, `polarised` the real adapter, `patron` pays there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from app.catalogue import file, publish
from app.customers.models import Customer
from app.db import transaction
from app.providers import registry
from tests.support.channels import CHANNELS, every_channel
from tests.support.doubles.polar.server import Running, running_polar
from tests.support.patron import Patron
from tests.support.time import Clock

OFFERS = """
[packs.small]
name = "100 credits"
credits = 100
price = "9.00"

[plans.starter]
rank = 1
name = "Starter"
monthly = "10.00"
yearly = "100.00"

[plans.growth]
rank = 2
name = "Growth"
monthly = "30.00"
"""


@pytest.fixture(scope="session")
def kept_polar() -> Iterator[tuple[Running, Any]]:
    """One server and one adapter for all tests of a process: beginning is what takes the time."""
    with running_polar() as running:
        adapter = polar_adapter(running)
        yield running, adapter
        adapter.close()


@pytest.fixture
def polar(kept_polar: tuple[Running, Any], no_httpx_inside_a_transaction: None) -> Running:
    """An organization that answers over HTTP and delivers nothing by itself. Nobody asks it inside a transaction."""
    running, _ = kept_polar
    running.begin_anew()
    return running


@pytest.fixture
def polarised(kept_polar: tuple[Running, Any], polar: Running) -> Any:
    _, adapter = kept_polar
    return adapter


def polar_adapter(polar: Running, **more: Any) -> Any:
    """An adapter as the registry builds it."""
    known = CHANNELS["polar"].settings | {"polar_api_base": polar.url}
    known |= {f"polar_{name}": value for name, value in more.items()}
    return registry.build(replace(every_channel(), **known))["polar"]


@pytest.fixture
def patron(
    session: Session, sessions: sessionmaker[Session], payer: Customer, polar: Running, polarised: Any, clock: Clock
) -> Patron:
    """Somebody who pays through Polar, in an installation with two plans and a pack."""
    with transaction(session):
        publish.apply(session, file.read(OFFERS, currency="usd"), actor="test")
    return Patron(session, sessions, payer, polar, polarised, clock)
