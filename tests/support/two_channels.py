"""Two providers live at once: Lemon Squeezy, the default, and Creem, which has a product for one plan alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.catalogue import file, publish
from app.customers.models import Customer
from app.db import transaction
from tests.support.creem import Regular
from tests.support.lemon import Shopper
from tests.support.people import Person
from tests.support.time import Clock

OFFERS = """
[packs.small]
name = "100 credits"
credits = 100
price = "9.00"

[plans.free]
rank = 0
name = "Free"
monthly = "0.00"

[plans.starter]
rank = 1
name = "Starter"
monthly = "10.00"
provider_ids.lemonsqueezy = {{ monthly = "{starter}" }}
provider_ids.creem = {{ monthly = "{starter_at_creem}" }}

[plans.growth]
rank = 2
name = "Growth"
monthly = "30.00"
provider_ids.lemonsqueezy = {{ monthly = "{growth}" }}
"""


@dataclass
class Both:
    """Ada as she pays here and there; `providers` is what the application has."""

    at_lemon: Shopper
    at_creem: Regular
    providers: dict[str, Any]
    products: dict[str, str]

    def offers(self, text: str = OFFERS, **more: str) -> None:
        """Publish the catalogue anew, with the products there are."""
        with transaction(self.at_lemon.session):
            written = text.format(**self.products, **more)
            publish.apply(self.at_lemon.session, file.read(written, currency="usd"), actor="test")

    def in_order(self, *names: str) -> None:
        """The default is the first from now on."""
        known = {"lemonsqueezy": self.at_lemon.adapter, "creem": self.at_creem.adapter}
        self.providers.clear()
        self.providers.update({name: known[name] for name in names})


@pytest.fixture
def both(
    app: Flask,
    session: Session,
    sessions: Any,
    ada: Person,
    lemon: Any,
    squeezy: Any,
    creem: Any,
    creamed: Any,
    clock: Clock,
) -> Both:
    """Ada, who can pay at either."""
    providers: dict[str, Any] = {}
    app.extensions["providers"] = providers
    with transaction(session):
        customer = session.get_one(Customer, ada.customer_id)
    shopper = Shopper(session, sessions, customer, lemon, squeezy, clock)
    regular = Regular(session, sessions, customer, creem, creamed, clock)
    shopper.providers = regular.providers = providers
    products = {
        "starter": lemon.books.variant(1000, "month"),
        "growth": lemon.books.variant(3000, "month"),
        "starter_at_creem": creem.books.product(1000, "every-month"),
    }
    made = Both(shopper, regular, providers, products)
    made.in_order("lemonsqueezy", "creem")
    made.offers()
    return made
