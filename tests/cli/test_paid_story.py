"""The demo's past payments can be given back, as its sandbox knows them."""

from __future__ import annotations

import pytest

from app import clock
from app.cli import paid_story
from app.db import transaction
from app.money import Money
from app.payments.models import Payment
from app.providers.errors import InvalidRequest


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_a_payment_of_the_past_is_refunded_once_in_full(session, stripe, sandbox):
    with transaction(session):
        session.add(
            Payment(
                channel="stripe", payment_id="pi_of_the_past", customer_id="cus_1", order_id="ord_1", net_minor=5000,
                tax_minor=450, currency="usd", is_extra=False, event_id="", at=clock.now(),
            )
        )  # fmt: skip

    paid_story.tell(session, sandbox)
    paid_story.tell(session, sandbox)

    refund = {"payment_id": "pi_of_the_past", "reason": "requested_by_customer"}
    made = stripe.refund(amount=Money(5450, "usd"), our_refund_id="ref_1", key="one", **refund)
    assert (made.status, made.amount, made.our_refund_id) == ("succeeded", Money(5450, "usd"), "ref_1")
    with pytest.raises(InvalidRequest):
        stripe.refund(amount=Money(1, "usd"), our_refund_id="ref_2", key="two", **refund)
    assert [each.refund_id for each in stripe.list_refunds("pi_of_the_past")] == [made.refund_id]
