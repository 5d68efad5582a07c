"""Terms negotiated with one customer, laid over whatever plan they are on (SPEC P14)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.activity.models import Activity
from app.catalogue.terms import Limit, PlanTerms
from app.customers.models import Customer
from app.db import transaction
from app.errors import Invalid, NotFound
from app.subscriptions import overrides
from app.subscriptions.models import PlanOverride
from app.subscriptions.overrides import Negotiated, laid_over

TERMS = PlanTerms(
    key="studio",
    rank=2,
    name="Studio",
    description="",
    currency="usd",
    monthly_minor=14_900,
    id="plan_1",
    limits=(
        Limit("allowance", "views", 1000, "wallet", 100),
        Limit("count", "agents", 5),
        Limit("flag", "production_access", 0),
    ),
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def override(**terms: Any) -> PlanOverride:
    nothing = dict.fromkeys(("plan_id", "monthly_minor", "yearly_minor"))
    return PlanOverride(**{"limits": {}, **nothing, **terms})


def test_only_what_it_speaks_of_is_another() -> None:
    made = laid_over(TERMS, override(monthly_minor=9_900, limits={"count:agents": {"amount": None}}))

    assert (made.monthly_minor, made.yearly_minor, made.name) == (9_900, None, "Studio")
    assert made.limits == (TERMS.limits[0], Limit("count", "agents", None), TERMS.limits[2])
    assert laid_over(TERMS, None) is TERMS


def test_an_allowance_can_have_another_price_beyond_it_or_no_end() -> None:
    cheaper = laid_over(TERMS, override(limits={"allowance:views": {"overage_micros": 50}}))
    endless = laid_over(TERMS, override(limits={"allowance:views": {"amount": None}}))
    more = laid_over(TERMS, override(limits={"allowance:calls": {"amount": 10}}))

    assert cheaper.limit("allowance", "views") == Limit("allowance", "views", 1000, "wallet", 50)
    assert endless.limit("allowance", "views") == Limit("allowance", "views", None)
    assert more.limit("allowance", "calls") == Limit("allowance", "calls", 10, "block")


def test_one_for_another_plan_does_not_count() -> None:
    assert laid_over(TERMS, override(plan_id="plan_2", monthly_minor=1)) == TERMS
    assert laid_over(TERMS, override(plan_id="plan_1", monthly_minor=1)).monthly_minor == 1


def test_a_newer_one_takes_the_place_of_the_one_before(session: Session, payer: Customer) -> None:
    for minor in (500, 400):
        with transaction(session):
            agreed = Negotiated(monthly_minor=minor)
            overrides.set_override(session, payer.id, agreed, reason="A year ahead", actor="staff:usr_1")

    with transaction(session):
        assert overrides.live(session, payer.id).monthly_minor == 400
        assert [one.number for one in overrides.of_customer(session, payer.id)] == [2, 1]
        overrides.end_override(session, payer.id, reason="The year is over", actor="staff:usr_1")
    with transaction(session):
        assert overrides.live(session, payer.id) is None
        told = session.query(Activity).filter(Activity.action.like("override.%")).order_by(Activity.id).all()
        assert [line.action for line in told] == ["override.set", "override.set", "override.ended"]
        assert told[0].details["reason"] == "A year ahead"
    with pytest.raises(NotFound), transaction(session):
        overrides.end_override(session, payer.id, reason="Again", actor="staff:usr_1")


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Negotiated(monthly_minor=-1), "monthly_minor"),
        (Negotiated(commission_percent=101), "commission_percent"),
        (Negotiated(markup_percent=-1), "markup_percent"),
        (Negotiated(limits={"agents": {"amount": 1}}), "limits"),
        (Negotiated(limits={"count:agents": {"amount": -1}}), "limits"),
        (Negotiated(limits={"count:agents": {"amount": True}}), "limits"),
        (Negotiated(limits={"count:agents": {"sum": 1}}), "limits"),
        (Negotiated(limits={"flag:production_access": {"amount": 2}}), "limits"),
        (Negotiated(limits={"allowance:views": {"overage_mode": "free"}}), "limits"),
    ],
)
def test_terms_that_make_no_sense_are_refused(session: Session, payer: Customer, terms: Negotiated, field: str) -> None:
    with pytest.raises(Invalid) as refused, transaction(session):
        overrides.set_override(session, payer.id, terms, reason="Why not", actor="staff:usr_1")

    assert refused.value.field == field


def test_it_needs_a_reason(session: Session, payer: Customer) -> None:
    with pytest.raises(Invalid), transaction(session):
        overrides.set_override(session, payer.id, Negotiated(monthly_minor=1), reason=" ", actor="staff:usr_1")
