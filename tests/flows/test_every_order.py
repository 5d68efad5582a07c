"""Every order of a life's six events ends in the same state and the same books, at each provider (SPEC R3, W4, W5).

PURSER_EVERY_ORDER=1 in the environment tells all 720 orders at each, every other one with each event twice at once, and
then all of it again: some five minutes. Without it three of them are told.
"""

from __future__ import annotations

import os
import random
from itertools import permutations

import pytest
from sqlalchemy.orm import Session

from tests.support.lives import LIVES
from tests.support.six_events import NAMES, doubled

WHOLE = bool(os.environ.get("PURSER_EVERY_ORDER"))


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # nothing here races


@pytest.mark.timeout(0 if WHOLE else 120)
@pytest.mark.parametrize("channel", LIVES)
def test_corpus_010_and_050_every_order_of_six_events_ends_the_same(
    channel: str, session: Session, request: pytest.FixtureRequest
) -> None:
    fixture, lived = LIVES[channel]
    life = lived(request.getfixturevalue(fixture))
    orders = list(permutations(NAMES))
    if not WHOLE:
        orders = [NAMES[::-1], random.Random(720).choice(orders)]
    life.keep(session)
    life.prepare(session, 1 + len(orders))

    expected = life.told(NAMES)
    assert expected["not applied"] == []
    different = {
        order
        for number, order in enumerate(orders)
        if life.told(doubled(order) if number % 2 else order) != expected or life.repeated(order) != expected
    }

    assert not different
