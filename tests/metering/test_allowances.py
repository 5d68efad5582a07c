"""What an allowance covers, what becomes of the rest, and in which period (SPEC U1-U3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from app.errors import LimitReached
from app.metering import NewEvent
from tests.support.time import Clock
from tests.support.usage import User

Put = Callable[[str], None]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is written and locked is tested on both databases in test_record."""
    return sqlite_url


def test_an_event_is_counted_whole_or_not_at_all(user: User, catalogue: Put) -> None:
    catalogue("oper")
    user.has(500)
    user.uses("passports", 49_990)

    assert user.uses("passports", 16).refused  # ten are free, and six cost 600
    assert user.uses("passports", 15).accepted == 1

    assert user.available == 0
    assert user.faults() == []


def test_another_customers_ids_are_their_own(user: User, bo: object, catalogue: Put) -> None:
    catalogue("view")
    user.uses("views", id="x")

    assert User(bo).uses("views", id="x").accepted == 1


def test_a_refused_id_can_be_sent_again(user: User, catalogue: Put) -> None:
    catalogue("agent")
    assert user.uses("agent_executions", 51, id="x").refused

    assert user.uses("agent_executions", 50, id="x").accepted == 1


def test_the_mode_block_refuses_with_the_limit_and_the_way_out(user: User, catalogue: Put) -> None:
    catalogue("agent")
    user.uses("agent_executions", 50)

    [refused] = user.uses("agent_executions").refused

    assert isinstance(refused.refusal, LimitReached)
    assert refused.refusal.sentence == (
        "Free includes 50 agent executions a month. 50 are used. "
        "Wait until 1 April 2026, or move to Starter for up to 500 agent executions a month."
    )
    assert refused.refusal.details["upgrade"] == "STARTER"
    assert user.faults() == []


def test_invoiced_views_never_refuse(user: User, catalogue: Put) -> None:
    catalogue("view")
    user.has(0)

    assert user.uses("views", 1_000_000).accepted == 1

    now = user.meter("views")
    assert (now.used, now.over, now.over_micros, now.mode) == (1_000_000, 999_000, 1_998_000_000, "invoice")
    assert user.faults() == []


def test_a_plan_that_is_silent_of_a_meter_other_plans_offer_allows_none(user: User, catalogue: Put) -> None:
    catalogue('[meters.calls]\nname = "Calls"\nunit = "call"\noverage = "block"\n'
              '[meters.extras]\nname = "Extras"\nunit = "extra"\noverage = "block"\n'
              '[plans.free]\nrank = 0\nname = "Free"\nmonthly = "0.00"\n'
              '[plans.pro]\nrank = 1\nname = "Pro"\nmonthly = "5.00"\nallowances = { calls = 5 }\n')  # fmt: skip

    told = user.reports(NewEvent("a", "calls", 1), NewEvent("b", "extras", 1))

    assert [type(one.refusal) for one in told.refused] == [LimitReached]
    assert (told.accepted, user.meter("extras").used) == (1, 1)


def test_a_clock_that_runs_a_little_fast_is_put_back(user: User, catalogue: Put, clock: Clock) -> None:
    catalogue("view")
    clock.set(datetime(2026, 3, 31, 23, 58, tzinfo=UTC))

    user.uses("views", 7, occurred_at=clock.now + timedelta(minutes=5))

    assert user.meter("views").used == 7
    assert user.faults() == []


def test_a_late_event_counts_in_its_own_period_until_that_is_closed(user: User, catalogue: Put, clock: Clock) -> None:
    catalogue("view")
    march = datetime(2026, 3, 1, tzinfo=UTC)
    occurred = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
    user.uses("views", 900)

    clock.set(datetime(2026, 4, 1, 0, 59, tzinfo=UTC))
    user.uses("views", 101, occurred_at=occurred)
    clock.set(datetime(2026, 4, 1, 1, 0, tzinfo=UTC))
    user.uses("views", 5, occurred_at=occurred)

    assert (user.meter("views", march).used, user.meter("views", march).over) == (1_001, 1)
    assert user.meter("views").used == 5
    assert user.faults() == []
