"""The entitlement check: what doing it would come to, said in one call that changes nothing (SPEC U7, R8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app import clock, entitlements, metering
from app.db import transaction
from app.entitlements import team
from app.errors import Invalid
from app.metering import NewEvent, caps
from app.metering.models import UsageEvent
from app.subscriptions import lifecycle
from app.subscriptions.models import Subscription
from tests.support.people import Person
from tests.support.plans import offer

APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def uses(session: Session) -> Callable[[Person, str, int], None]:
    """Reports usage, as the host product would."""

    def report(who: Person, meter: str, quantity: int) -> None:
        events = [NewEvent(id=f"{meter}-{quantity}", meter=meter, quantity=quantity)]
        with transaction(session):
            assert metering.record(session, who.customer_id, events).accepted == 1

    return report


def test_a_count_says_limit_used_and_left(session: Session, agent: Person, acquires) -> None:
    acquires(agent, "wallets", "w0")

    two, three = (entitlements.check(session, agent.customer_id, "wallets", quantity) for quantity in (2, 3))

    assert (two.kind, two.allowed, two.limit, two.used, two.left, two.resets_at) == ("count", True, 3, 1, 2, None)
    assert (three.allowed, three.reason, three.details["upgrade"]) == (False, "TIER_LIMIT_EXCEEDED", "STARTER")


def test_a_flag_says_why_not_and_which_plan_has_it(session: Session, agent: Person, subscribes) -> None:
    before = entitlements.check(session, agent.customer_id, "production_access")
    subscribes(agent, "STARTER")
    after = entitlements.check(session, agent.customer_id, "production_access")

    assert (before.kind, before.allowed, before.limit, before.details["upgrade"]) == ("flag", False, 0, "STARTER")
    assert before.refusal is not None
    assert before.refusal.sentence == "Free does not include production access. Move to Starter for production access."
    assert (after.allowed, after.plan) == (True, "STARTER")


def test_a_rate_counts_the_calls_of_this_minute(session: Session, agent: Person) -> None:
    ends = clock.now() + timedelta(seconds=20)

    last, over = (
        entitlements.check(session, agent.customer_id, "writes", rate_now=lambda _name, _limit, n=used: (n, ends))
        for used in (9, 10)
    )

    assert (last.kind, last.allowed, last.left, last.resets_at) == ("rate", True, 1, ends)
    assert (over.allowed, over.reason, over.details["retry_after"]) == (False, "RATE_LIMITED", 20)
    assert over.details["remedy"] == "Try again in 20 seconds, or move to Starter for up to 50 writes a minute."


def test_an_allowance_that_stops_says_when_it_resets(session: Session, agent: Person, uses) -> None:
    uses(agent, "agent_executions", 48)

    two, three = (entitlements.check(session, agent.customer_id, "agent_executions", number) for number in (2, 3))

    assert (two.kind, two.allowed, two.limit, two.used, two.left, two.resets_at) == (
        "allowance",
        True,
        50,
        48,
        2,
        APRIL,
    )
    assert (three.allowed, three.reason, three.details["upgrade"]) == (False, "TIER_LIMIT_EXCEEDED", "STARTER")


def test_past_an_allowance_the_wallet_must_pay(session: Session, oper: Person, uses) -> None:
    uses(oper, "passports", 50_000)  # $5.00 of welcome credit is 50,000 more

    paid, short = (entitlements.check(session, oper.customer_id, "passports", number) for number in (50_000, 50_001))

    assert (paid.allowed, paid.left) == (True, 0)
    assert (short.allowed, short.reason) == (False, "INSUFFICIENT_CREDITS")
    assert (short.details["available_micros"], short.details["needed_micros"]) == (5_000_000, 5_000_100)


def test_the_customers_own_cap_comes_before_the_wallet(session: Session, oper: Person, uses) -> None:
    uses(oper, "passports", 50_000)
    with transaction(session):
        caps.set_spend_cap(session, oper.customer_id, 1_000_000, actor=oper.id)

    verdict = entitlements.check(session, oper.customer_id, "passports", 10_001)

    assert (verdict.allowed, verdict.reason) == (False, "SPEND_CAP_REACHED")


def test_without_a_limit_there_is_nothing_to_run_out(session: Session, agent: Person, subscribes) -> None:
    subscribes(agent, "STARTER")

    verdict = entitlements.check(session, agent.customer_id, "builder_messages", 1_000_000)

    assert (verdict.allowed, verdict.limit, verdict.left) == (True, None, None)


def test_an_action_says_what_it_costs_in_credits(session: Session, ada: Person) -> None:
    offer(session, "cred")

    verdict = entitlements.check(session, ada.customer_id, "ai_chat", 2)

    assert (verdict.kind, verdict.allowed, verdict.left) == ("credits", False, 0)
    assert (verdict.reason, verdict.details["available"], verdict.details["needed"]) == ("INSUFFICIENT_CREDITS", 0, 100)


@pytest.mark.parametrize(("feature", "quantity", "field"), [("rockets", 1, "feature"), ("wallets", 0, "quantity")])
def test_what_cannot_be_asked_is_told_by_field(
    session: Session, agent: Person, feature: str, quantity: int, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        entitlements.check(session, agent.customer_id, feature, quantity)

    assert refused.value.field == field


def test_an_unpaid_plan_is_told_once_its_days_of_grace_are_over(
    session: Session, agent: Person, subscribes, clock
) -> None:
    subscribes(agent, "STARTER")
    with transaction(session):
        lifecycle.become_past_due(session, session.scalars(select(Subscription)).one(), since=clock.now)
    features = ("production_access", "wallets", "agent_executions")
    ask = lambda: [entitlements.check(session, agent.customer_id, feature).reason for feature in features]  # noqa: E731

    assert ask() == [None, None, None]
    clock.advance(days=7)
    assert ask() == ["SUBSCRIPTION_RESTRICTED"] * 3
    assert entitlements.check(session, agent.customer_id, "reads").allowed  # or nobody could pay by API


def test_all_limits_come_in_the_order_of_the_checks(session: Session, agent: Person, acquires) -> None:
    acquires(agent, "wallets", "w0")

    found = entitlements.all_limits(session, agent.customer_id)

    kinds = [verdict.kind for verdict in found]
    assert kinds == sorted(kinds, key=["rate", "flag", "count", "allowance"].index)
    assert {verdict.feature: verdict.used for verdict in found}["wallets"] == 1


def test_the_team_is_counted_with_its_open_invitations(session: Session, oper: Person) -> None:
    seats = entitlements.check(session, oper.customer_id, "team_members")

    assert (seats.allowed, seats.limit, seats.used) == (False, 1, 1)
    assert team.in_use(session, oper.customer_id) == 1


def test_where_no_plan_speaks_of_it_nothing_is_limited(session: Session, oper: Person) -> None:
    for feature in ("reads", "writes", "production_access"):
        verdict = entitlements.check(session, oper.customer_id, feature)
        assert (verdict.allowed, verdict.limit) == (True, None)


def test_asking_changes_nothing(session: Session, oper: Person) -> None:
    before = session.execute(text("SELECT total_changes()")).scalar()

    for feature in ("reads", "production_access", "agents", "team_members", "passports"):
        entitlements.check(session, oper.customer_id, feature)
    entitlements.all_limits(session, oper.customer_id)

    assert session.execute(text("SELECT total_changes()")).scalar() == before
    assert session.scalar(select(func.count()).select_from(UsageEvent)) == 0
