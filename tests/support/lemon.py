"""Lemon Squeezy in tests: `lemon` is a stand-in on this machine, `squeezy` the real adapter, `shopper` a customer."""

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
from tests.support.doubles.lemonsqueezy.server import Lemon, running_lemon
from tests.support.patron import Patron
from tests.support.time import Clock

PLANS = """
[packs.small]
name = "100 credits"
credits = 100
price = "9.00"

[plans.starter]
rank = 1
name = "Starter"
monthly = "10.00"
yearly = "100.00"
provider_ids.lemonsqueezy = {{ monthly = "{starter}" }}

[plans.growth]
rank = 2
name = "Growth"
monthly = "30.00"
provider_ids.lemonsqueezy = {{ monthly = "{growth}" }}
"""


@pytest.fixture(scope="session")
def kept_lemon() -> Iterator[Lemon]:
    """One server for all tests of a process: beginning is what takes the time."""
    with running_lemon() as running:
        yield running


@pytest.fixture
def lemon(kept_lemon: Lemon, no_httpx_inside_a_transaction: None) -> Lemon:
    """A store that answers over HTTP and delivers nothing by itself. Nobody asks it inside a transaction (R4)."""
    kept_lemon.begin_anew()
    return kept_lemon


@pytest.fixture
def squeezy(lemon: Lemon) -> Iterator[Any]:
    """One for each test, for it remembers what the store's prices are."""
    adapter = squeezy_adapter(lemon)
    yield adapter
    adapter.close()


def squeezy_adapter(lemon: Lemon, **more: Any) -> Any:
    """An adapter as the registry builds it."""
    known = CHANNELS["lemonsqueezy"].settings | {"lemonsqueezy_api_base": lemon.url}
    known |= {f"lemonsqueezy_{name}": value for name, value in more.items()}
    return registry.build(replace(every_channel(), **known))["lemonsqueezy"]


@pytest.fixture
def shopper(
    session: Session, sessions: sessionmaker[Session], payer: Customer, lemon: Lemon, squeezy: Any, clock: Clock
) -> Shopper:
    """Somebody who pays through Lemon Squeezy."""
    return shopping(session, sessions, payer, lemon, squeezy, clock)


def shopping(
    session: Session, sessions: sessionmaker[Session], payer: Customer, lemon: Lemon, squeezy: Any, clock: Clock
) -> Shopper:
    """The same for any customer, in an installation whose plans name the store's variants."""
    variants = {"starter": lemon.books.variant(1000, "month"), "growth": lemon.books.variant(3000, "month")}
    with transaction(session):
        publish.apply(session, file.read(PLANS.format(**variants), currency="usd"), actor="test")
    made = Shopper(session, sessions, payer, lemon, squeezy, clock)
    made.variants = variants
    return made


class Shopper(Patron):
    """Somebody who pays through Lemon Squeezy; `variants` are the plans' there."""

    variants: dict[str, str]

    @property
    def lemon(self) -> Lemon:
        there: Lemon = self.there
        return there

    @property
    def squeezy(self) -> Any:
        return self.adapter
