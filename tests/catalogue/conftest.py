"""A small catalogue that the tests of this folder change piece by piece."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app.catalogue import file, publish
from app.catalogue.difference import Change
from app.db import transaction

SMALL = """
[meters.views]
name = "Views"
unit = "view"
overage = "wallet"
overage_price = "0.0001"

[plans.free]
rank = 0
name = "Free"
monthly = "0.00"
allowances = { views = 100 }

[plans.studio]
rank = 1
name = "Studio"
description = "For studios."
monthly = "29.00"
yearly = "290.00"
features = ["Fast"]
allowances = { views = 5_000 }
counts = { agents = 10 }
rates = { reads = 60, writes = "unlimited" }
flags = { production_access = true }
provider_ids.stripe = { monthly = "price_1" }
"""


@pytest.fixture
def small() -> str:
    return SMALL


@pytest.fixture
def apply(session: Session) -> Callable[[str], list[Change]]:
    """Puts a file's text on offer, as the command does, and says what changed."""

    def put(text: str) -> list[Change]:
        wanted = file.read(text, currency="usd")
        with transaction(session):
            return publish.apply(session, wanted, actor="cli")

    return put
