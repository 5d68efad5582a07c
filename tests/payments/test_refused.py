"""Refused checkouts are kept once for each thing, and what is due at renewals is found, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.db import transaction
from app.flows import change_at_renewal
from app.payments import refused
from app.payments.refused import Refused
from tests.support.time import Clock

pytestmark = pytest.mark.both_databases  # an upsert, and a question inside JSON

GROWTH = Refused("creem", "plan:growth:month", "It has no product.", "creem_product_id_missing", "cus_1", "ord_1")


def test_it_is_news_once_until_it_was_sold_or_refused_for_another_reason(session: Session, clock: Clock) -> None:
    again = Refused("creem", GROWTH.what, "The product is gone.", "product_gone", "cus_2", "ord_2")
    told = []
    for it in (GROWTH, GROWTH, again, again):
        with transaction(session):
            told.append(refused.note(session, it))
        clock.advance(minutes=1)
    assert told == [True, False, True, False]
    with transaction(session):
        [row] = refused.latest(session, 10)
        assert (row.count, row.reason, row.customer_id, row.settled_at) == (4, again.reason, "cus_2", None)

    with transaction(session):
        refused.settle(session, "creem", GROWTH.what)
        refused.settle(session, "creem", "topup")
    with transaction(session):
        session.expire_all()
        [row] = refused.latest(session, 10)
        assert row.settled_at == clock.now
    with transaction(session):
        assert refused.note(session, again), "it was sold meanwhile"
        [row] = refused.latest(session, 10)
        assert (row.count, row.settled_at) == (1, None)


def test_what_is_due_at_renewals_can_be_asked_for(session: Session) -> None:
    with transaction(session):
        assert change_at_renewal.due(session, 10) == []
