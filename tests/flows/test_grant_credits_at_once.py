"""Two workers that grant credits at the same instant, on both databases: everything is granted once."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from app.catalogue import file, publish
from app.coupons.models import CouponBonus
from app.credits.models import CreditGrant
from app.db import transaction
from app.flows import grant_credits
from tests.flows.test_grant_credits import PLANS
from tests.support.plans import Subscriber


@pytest.fixture
def plans(session: Session) -> None:
    with transaction(session):
        publish.apply(session, file.read(PLANS, currency="usd"), actor="test")


def test_everything_is_granted_once(subscriber: Subscriber, session: Session, engine: Engine, clock) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes("starter")
    told = {"redemption_id": "red_1", "occasion": "", "code": "BONUS", "credits": 7, "created_at": clock.now}
    with transaction(session):
        session.add(CouponBonus(customer_id=subscriber.customer_id, **told))
    gate, wrong = Barrier(3), []

    def work() -> None:
        gate.wait(timeout=30)
        try:
            grant_credits.grant_due(sessionmaker(engine, expire_on_commit=False))
        except BaseException as failure:
            wrong.append(failure)

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    grant_credits.grant_due(sessionmaker(engine, expire_on_commit=False))

    session.rollback()
    mine = select(CreditGrant).where(CreditGrant.customer_id == subscriber.customer_id)
    found = sorted((row.source, row.amount) for row in session.scalars(mine))
    assert wrong == []
    assert found == [("coupon", 7), ("included", 100), ("welcome", 50)]
