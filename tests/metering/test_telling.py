"""Notices of usage: once per threshold and period, once for a cap that refused (SPEC U4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.db import transaction
from app.metering import caps
from app.notices.models import Notice
from tests.support.time import Clock
from tests.support.usage import User

Put = Callable[[str], None]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def told(user: User) -> list[tuple[str, int | None]]:
    with transaction(user.session):
        found = user.session.scalars(select(Notice).order_by(Notice.at, Notice.id))
        return [
            (notice.kind, notice.facts.get("percent"))
            for notice in found
            if "usage" in notice.key or "cap" in notice.key
        ]


def sentences(user: User) -> list[str]:
    with transaction(user.session):
        return list(user.session.scalars(select(Notice.sentence).order_by(Notice.at, Notice.id)))


def test_it_is_told_once_at_80_and_once_at_100_percent(user: User, catalogue: Put, clock: Clock) -> None:
    catalogue("view")
    user.uses("views", 799)
    assert told(user) == []

    user.uses("views", 1)
    assert told(user) == [("usage_threshold", 80)]
    user.uses("views", 199)
    user.uses("views", 1)
    user.uses("views", 5_000)

    assert told(user) == [("usage_threshold", 80), ("usage_exhausted", 100)]
    assert "Each one more is on your next invoice, at $0.002." in sentences(user)[1]
    clock.set(datetime(2026, 4, 2, tzinfo=UTC))
    user.uses("views", 1_000)
    assert len(told(user)) == 4, "both again in the next period"


def test_a_batch_that_is_refused_tells_nothing(user: User, catalogue: Put) -> None:
    catalogue("agent")

    user.uses("agent_executions", 51)

    assert told(user) == []


def test_the_spend_cap_binds_both_paying_modes_and_is_told_once(user: User, catalogue: Put) -> None:
    catalogue("view")
    with transaction(user.session):
        caps.set_spend_cap(user.session, user.customer_id, 20_000, actor=user.person.id)
    assert user.uses("views", 1_010).accepted == 1

    refused = [user.uses("views").refused[0].refusal for _ in range(2)]

    assert {one.code for one in refused} == {"SPEND_CAP_REACHED"}
    assert refused[0].sentence.startswith("This costs $0.002, and of the spend cap of $0.02 $0.00 is left.")
    assert refused[0].details["spent_micros"] == refused[0].details["cap_micros"] == 20_000
    assert [kind for kind, _ in told(user)].count("spend_cap_reached") == 1
    with transaction(user.session):
        caps.set_spend_cap(user.session, user.customer_id, None, actor=user.person.id)
    assert user.uses("views").accepted == 1
