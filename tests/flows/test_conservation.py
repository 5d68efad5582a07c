"""No cent is made or lost in a random trade with late, lost and repeated news and with crashes (SPEC R1, R3, R4, V4).

TEST_CONSERVATION=2500 in the environment makes so many purchases at each of the four providers, and prints what
happened. Without it a few are made.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.support import tally
from tests.support.every_till import TILLS
from tests.support.trade import Trade

PURCHASES = int(os.environ.get("TEST_CONSERVATION", "4"))
SEED = int(os.environ.get("TEST_SEED", "1"))


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # nothing here races


@pytest.mark.timeout(120 if PURCHASES < 100 else 0)
@pytest.mark.parametrize("channel", TILLS)
def test_what_was_paid_is_held_spent_or_returned(
    channel: str, sessions: sessionmaker[Session], request: pytest.FixtureRequest, capsys: Any
) -> None:
    at = TILLS[channel]
    who: Any = request.getfixturevalue(at.fixture)
    who.session.rollback()
    adapter = who.providers[channel]
    trade = Trade(at.till(who), adapter, lambda: at.anew(who), sessions, SEED, buyers=max(2, PURCHASES // 10))
    trade.runs(PURCHASES)

    found = tally.faults(trade)

    if PURCHASES >= 100:
        with capsys.disabled():
            sys.stdout.write(f"\n{tally.report(trade)}\n")
    assert not found, "\n".join(found)
