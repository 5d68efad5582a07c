"""What a service adds or keeps for one customer: negotiated terms before the service's own, those before ours."""

from __future__ import annotations

import pytest

from app import ledger
from app.catalogue import file, publish, reads, shipped
from app.db import transaction
from app.subscriptions import overrides
from app.subscriptions.overrides import Negotiated
from app.subscriptions.percentages import Percentages, of_service
from app.wallet import accounts
from tests.support.programs import Program

OURS = Percentages(markup=7, commission=20)


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def plans(session):
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("oper"), currency="usd"), actor="cli")
    return {plan.key: plan for plan in reads.offered_plans(session)}


@pytest.fixture
def negotiate(session, ada):
    def agree(**terms):
        with transaction(session):
            overrides.set_override(
                session, ada.customer_id, Negotiated(**terms), reason="A contract", actor="staff:usr_a"
            )

    return agree


def test_without_anything_said_it_is_the_installations(session, ada):
    assert of_service(session, ada.customer_id, "compute", default=OURS) == OURS
    assert of_service(session, ada.customer_id, "no\0thing", default=OURS) == OURS


def test_the_services_own_comes_before_that(session, ada, plans):
    assert of_service(session, ada.customer_id, "compute", default=OURS) == Percentages(15, 20)
    assert of_service(session, ada.customer_id, "paid_skill", default=OURS) == OURS


def test_what_is_negotiated_comes_first_and_only_where_it_speaks(session, ada, bo, plans, negotiate):
    negotiate(markup_percent=0)

    assert of_service(session, ada.customer_id, "compute", default=OURS) == Percentages(0, 20)
    assert of_service(session, bo.customer_id, "compute", default=OURS) == Percentages(15, 20)


def test_terms_for_one_plan_count_on_that_plan(session, ada, plans, negotiate):
    negotiate(markup_percent=1, plan_id=plans["studio"].id)
    assert of_service(session, ada.customer_id, "compute", default=OURS).markup == 15

    negotiate(markup_percent=1, plan_id=plans["free"].id)
    assert of_service(session, ada.customer_id, "compute", default=OURS).markup == 1


def test_a_charge_is_priced_with_them(app, session, ada, plans, negotiate, service_key):
    negotiate(markup_percent=5, commission_percent=50)
    host = Program(app, service_key, ada.customer_id)

    compute = host.post("/v1/charges", {"service": "compute", "cost_micros": 1_000_000}, key="a").get_json()
    skill = host.post(
        "/v1/charges", {"service": "skill", "list_price_micros": 1_000_000, "publisher": "acme"}, key="b"
    ).get_json()

    assert (compute["amount_micros"], skill["amount_micros"]) == (-1_050_000, -1_000_000)
    session.rollback()
    entry = ledger.entry(session, ada.customer_id, skill["id"])
    assert entry.leg(accounts.commission()).amount == 500_000
