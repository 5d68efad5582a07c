"""Acquiring and releasing resources: as many as the plan allows, each once, exactly, whoever asks at the same time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from app.activity.models import Activity
from app.db import transaction
from app.entitlements import resources
from app.entitlements.models import Resource, ResourceCount
from app.entitlements.resources import Acquired
from app.errors import Invalid, LimitReached, NotFound, SubscriptionRestricted
from app.subscriptions import lifecycle, overrides
from app.subscriptions.models import Subscription
from app.subscriptions.overrides import Negotiated
from tests.support.people import Person

Acquires = Callable[[Person, str, str], Acquired]
Subscribes = Callable[[Person, str], None]


@pytest.fixture
def releases(session: Session) -> Callable[[Person, str, str], bool]:
    def one(who: Person, kind: str, resource_id: str) -> bool:
        with transaction(session):
            return resources.release(session, who.customer_id, kind, resource_id, actor="key_host")

    return one


def held(session: Session, who: Person) -> tuple[int, int]:
    """Rows, and the count beside them: always the same number."""
    session.rollback()
    mine = select(func.count()).select_from(Resource).where(Resource.customer_id == who.customer_id)
    return session.scalar(mine) or 0, sum(resources.in_use(session, who.customer_id).values())


def test_the_fourth_wallet_on_free_is_refused_and_told_precisely(
    session: Session, agent: Person, acquires: Acquires
) -> None:
    made = [acquires(agent, "wallets", f"w{number}") for number in range(3)]

    with pytest.raises(LimitReached) as refused:
        acquires(agent, "wallets", "w3")

    assert [one.in_use for one in made] == [1, 2, 3]
    assert refused.value.code == "TIER_LIMIT_EXCEEDED"
    assert refused.value.sentence == (
        "Free includes 3 wallets. 3 are in use. Remove one, or move to Starter for up to 10 wallets."
    )
    assert refused.value.details == {
        "feature": "wallets",
        "limit": 3,
        "used": 3,
        "left": 0,
        "resets_at": None,
        "plan": "FREE",
        "remedy": "Remove one, or move to Starter for up to 10 wallets.",
        "upgrade": "STARTER",
    }
    assert held(session, agent) == (3, 3)


def test_a_refusal_leaves_nothing_behind_whatever_the_caller_makes_of_it(session: Session, agent: Person) -> None:
    with transaction(session):
        for number in range(5):
            with contextlib.suppress(LimitReached):
                resources.acquire(session, agent.customer_id, "wallets", f"w{number}", actor="key_host")

    assert held(session, agent) == (3, 3)


def test_the_same_id_again_is_the_same_one_even_at_the_limit(
    session: Session, agent: Person, acquires: Acquires
) -> None:
    for number in range(3):
        acquires(agent, "wallets", f"w{number}")

    again = acquires(agent, "wallets", "w0")

    assert (again.is_new, again.in_use, again.limit) == (False, 3, 3)
    assert held(session, agent) == (3, 3)


def test_a_released_place_is_free_again(
    session: Session, agent: Person, acquires: Acquires, releases: Callable[..., bool]
) -> None:
    for number in range(3):
        acquires(agent, "wallets", f"w{number}")

    assert releases(agent, "wallets", "w1") is True
    assert releases(agent, "wallets", "w1") is False

    assert acquires(agent, "wallets", "w9").in_use == 3
    assert held(session, agent) == (3, 3)


def test_kinds_and_customers_are_counted_apart(agent: Person, bo: Person, acquires: Acquires) -> None:
    for number in range(3):
        acquires(agent, "wallets", f"w{number}")

    assert acquires(agent, "agent_definitions", "w0").in_use == 1
    assert acquires(bo, "wallets", "w0").in_use == 1


def test_a_kind_no_plan_counts_is_not_found_and_the_team_counts_itself(
    agent: Person, oper: Person, acquires: Acquires, releases: Callable[..., bool]
) -> None:
    with pytest.raises(NotFound):
        acquires(agent, "rockets", "r1")
    with pytest.raises(NotFound):
        releases(agent, "rockets", "r1")
    with pytest.raises(Invalid):
        acquires(oper, "team_members", "m1")


def test_a_kind_only_other_plans_speak_of_is_not_included(session: Session, agent: Person, acquires: Acquires) -> None:
    with transaction(session):
        limits = {"count:wallets": {"amount": 0}}
        overrides.set_override(session, agent.customer_id, Negotiated(limits=limits), reason="None for now", actor="x")

    with pytest.raises(LimitReached) as refused:
        acquires(agent, "wallets", "w1")

    assert refused.value.sentence == "Free includes no wallets. Move to Starter for up to 10 wallets."


def test_a_larger_plan_makes_room_at_once(agent: Person, acquires: Acquires, subscribes: Subscribes) -> None:
    for number in range(3):
        acquires(agent, "wallets", f"w{number}")

    subscribes(agent, "STARTER")

    assert acquires(agent, "wallets", "w3").limit == 10


def test_without_a_limit_there_is_always_room(session: Session, agent: Person, acquires: Acquires) -> None:
    with transaction(session):
        limits = {"count:wallets": {"amount": None}}
        overrides.set_override(session, agent.customer_id, Negotiated(limits=limits), reason="Contract", actor="x")

    made = [acquires(agent, "wallets", f"w{number}") for number in range(5)]

    assert (made[-1].in_use, made[-1].limit) == (5, None)


def test_an_unpaid_plan_gives_nothing_new_and_takes_nothing_away(
    session: Session, agent: Person, acquires: Acquires, subscribes: Subscribes, clock
) -> None:
    subscribes(agent, "STARTER")
    acquires(agent, "wallets", "w0")
    with transaction(session):
        sub = session.scalars(select(Subscription)).one()
        lifecycle.become_past_due(session, sub, since=clock.now)
    assert acquires(agent, "wallets", "w1").is_new  # past due: full access

    clock.advance(days=8)

    with pytest.raises(SubscriptionRestricted):
        acquires(agent, "wallets", "w2")
    assert acquires(agent, "wallets", "w1").is_new is False
    assert held(session, agent) == (2, 2)


def test_both_are_in_the_activity_log(
    session: Session, agent: Person, acquires: Acquires, releases: Callable[..., bool]
) -> None:
    acquires(agent, "wallets", "w0")
    acquires(agent, "wallets", "w0")
    releases(agent, "wallets", "w0")

    lines = session.scalars(select(Activity.action).where(Activity.subject == "w0").order_by(Activity.action))
    assert list(lines) == ["resource.acquired", "resource.released"]


class TestOnBothDatabases:
    @pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
    def database_url(self, request: pytest.FixtureRequest) -> str:
        return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "pg_url")

    def test_of_twenty_at_once_exactly_as_many_get_a_place_as_there_are(
        self, session: Session, engine: Engine, agent: Person
    ) -> None:
        came_to = at_once(engine, agent, [f"w{number}" for number in range(20)])

        assert sorted(came_to) == ["acquired"] * 3 + ["refused"] * 17
        assert held(session, agent) == (3, 3)
        assert session.scalars(select(ResourceCount.in_use)).one() == 3

    def test_the_same_one_eight_times_at_once_is_one(self, session: Session, engine: Engine, agent: Person) -> None:
        came_to = at_once(engine, agent, ["w"] * 8)

        assert sorted(came_to) == ["acquired"] + ["again"] * 7
        assert held(session, agent) == (1, 1)


def at_once(engine: Engine, who: Person, ids: list[str]) -> list[str]:
    """Acquire these wallets at the same instant; what each came to."""
    gate, came_to = Barrier(len(ids)), [""] * len(ids)

    def run(place: int) -> None:
        with Session(engine) as own:
            gate.wait(timeout=30)
            try:
                with transaction(own):
                    made = resources.acquire(own, who.customer_id, "wallets", ids[place], actor="key_host")
                came_to[place] = "acquired" if made.is_new else "again"
            except LimitReached:
                came_to[place] = "refused"

    threads = [Thread(target=run, args=(place,)) for place in range(len(ids))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return came_to
