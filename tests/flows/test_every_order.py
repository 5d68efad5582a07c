"""Every order of a life's six events ends in the same state and the same books (SPEC R3, W4, W5).

PURSER_EVERY_ORDER=1 in the environment tells all 720 orders, each with and without every event three times: some ten
minutes. Without it three of them are told.
"""

from __future__ import annotations

import os
import random
from itertools import permutations
from pathlib import Path

import pytest

from tests.support.card_paid import Cardholder
from tests.support.six_events import NAMES, Life, doubled

WHOLE = bool(os.environ.get("PURSER_EVERY_ORDER"))


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Each order is told to a copy of the file."""
    return sqlite_url


@pytest.mark.timeout(0 if WHOLE else 120)
def test_corpus_010_and_050_every_order_of_six_events_ends_the_same(cardholder: Cardholder, tmp_path: Path) -> None:
    life = Life(cardholder, tmp_path)
    orders = list(permutations(NAMES))
    if not WHOLE:
        orders = [NAMES, NAMES[::-1], random.Random(720).choice(orders)]

    expected = life.told(NAMES)

    assert expected["not applied"] == expected["faults"] == []
    assert any("'open'" in row for row in expected["dispute"])
    for order in orders:
        for told in (order, doubled(order)):
            left = life.told(told)
            assert left == expected, f"told in the order {told}"
    life.close()
