"""Creem in tests: `creem` is a stand-in on this machine, `creamed` the real adapter, `regular` pays there."""

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
from tests.support.doubles.creem.server import Running, running_creem
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
provider_ids.creem = {{ product_id = "{starter}" }}

[plans.growth]
rank = 2
name = "Growth"
monthly = "30.00"
provider_ids.creem = {{ monthly = "{growth}" }}
"""


@pytest.fixture(scope="session")
def kept_creem() -> Iterator[tuple[Running, Any]]:
    """One server and one adapter for all tests of a process: beginning is what takes the time."""
    with running_creem() as running:
        adapter = creem_adapter(running)
        yield running, adapter
        adapter.close()


@pytest.fixture
def creem(kept_creem: tuple[Running, Any], no_httpx_inside_a_transaction: None) -> Running:
    """A store that answers over HTTP and delivers nothing by itself. Nobody asks it inside a transaction."""
    running, _ = kept_creem
    running.begin_anew()
    return running


@pytest.fixture
def creamed(kept_creem: tuple[Running, Any], creem: Running) -> Any:
    _, adapter = kept_creem
    return adapter


def creem_adapter(creem: Running, **more: Any) -> Any:
    """An adapter as the registry builds it."""
    known = CHANNELS["creem"].settings | {"creem_api_base": creem.url}
    known |= {f"creem_{name}": value for name, value in more.items()}
    return registry.build(replace(every_channel(), **known))["creem"]


class Regular(Patron):
    """Somebody who pays through Creem; `products` are the plans' there."""

    products: dict[str, str]

    def deliver(self, **how: Any) -> None:
        self.there.send_due(self.receives, **how)


@pytest.fixture
def regular(
    session: Session, sessions: sessionmaker[Session], payer: Customer, creem: Running, creamed: Any, clock: Clock
) -> Regular:
    """Them, in an installation whose plans name Creem's products."""
    products = {"starter": creem.books.product(1000, "every-month"), "growth": creem.books.product(3000, "every-month")}
    with transaction(session):
        publish.apply(session, file.read(OFFERS.format(**products), currency="usd"), actor="test")
    found = Regular(session, sessions, payer, creem, creamed, clock)
    found.products = products
    return found
