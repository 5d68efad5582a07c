"""What there would be too much of on another plan: told before, and nothing is taken away (SPEC U5)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.catalogue import reads
from app.catalogue.terms import PlanTerms
from app.customers import invitations
from app.db import transaction
from app.entitlements import excess
from app.entitlements.excess import Excess
from app.subscriptions import overrides
from app.subscriptions.overrides import Negotiated
from tests.support.people import Person
from tests.support.plans import put_on


def plan(session: Session, key: str) -> PlanTerms:
    return next(one for one in reads.offered_plans(session) if one.key == key)


def test_all_that_is_beyond_the_plan_is_told_live_keys_too(session: Session, agent: Person, acquires) -> None:
    put_on(agent, "STARTER")
    agent.key()
    for number in range(4):
        acquires(agent, "wallets", f"w{number}")
    acquires(agent, "agent_definitions", "a0")

    to_free, to_growth = (excess.over(session, agent.customer_id, plan(session, key)) for key in ("FREE", "GROWTH"))

    assert to_free == [Excess("wallets", 4, 3), Excess("production_access", 1, 0)]
    assert to_growth == []


def test_the_team_is_counted_with_its_invitations(session: Session, oper: Person) -> None:
    put_on(oper, "developer")
    oper.hires("Cy", "read")
    with transaction(session):
        invitations.invite(session, oper.customer_id, "new@example.com", "read", actor=oper.id)

    assert excess.over(session, oper.customer_id, plan(session, "free")) == [Excess("team_members", 3, 1)]


def test_terms_of_the_customers_own_go_with_them(session: Session, agent: Person, acquires) -> None:
    put_on(agent, "STARTER")
    with transaction(session):
        terms = Negotiated(limits={"count:wallets": {"amount": 20}})
        overrides.set_override(session, agent.customer_id, terms, reason="Contract", actor="x")
    for number in range(12):
        acquires(agent, "wallets", f"w{number}")

    assert excess.over(session, agent.customer_id, plan(session, "FREE")) == []
