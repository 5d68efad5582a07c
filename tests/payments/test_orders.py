"""Orders: their states only move forward, and another customer's is not there."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.customers.models import Customer
from app.db import transaction
from app.errors import NotFound
from app.payments import Order, orders, reads
from app.payments.models import ORDER_STATES
from tests.support.payments import make_customer


def opened(session: Session, customer: Customer, form: str = "f") -> Order:
    with transaction(session):
        return orders.open_order(
            session,
            customer_id=customer.id,
            amount_minor=5000,
            currency="usd",
            channel="stripe",
            form_key=form,
            created_by="usr_1",
        )


@pytest.mark.parametrize("now", ORDER_STATES)
def test_a_state_never_moves_backwards(session: Session, payer: Customer, now: str) -> None:
    order = opened(session, payer)
    for later in ORDER_STATES:
        with transaction(session):
            order.payment_id, order.state = "pay_1", now
            session.flush()
            moved = orders.move(session, order, later)
        assert moved == (ORDER_STATES.index(later) > ORDER_STATES.index(now))


def test_paid_needs_a_payment(session: Session, payer: Customer) -> None:
    order = opened(session, payer)

    with pytest.raises(IntegrityError), transaction(session):
        orders.move(session, order, "paid")


def test_the_same_form_key_of_another_customer_is_another_order(session: Session, payer: Customer) -> None:
    bo = make_customer(session, "Bo")

    assert opened(session, payer).id != opened(session, bo).id


def test_corpus_061_another_customers_order_is_not_there(session: Session, payer: Customer) -> None:
    order, bo = opened(session, payer), make_customer(session, "Bo")

    assert reads.order(session, payer.id, order.id).id == order.id
    with pytest.raises(NotFound):
        reads.order(session, bo.id, order.id)
    assert [each.id for each in reads.orders_of(session, payer.id)] == [order.id]
    assert reads.orders_of(session, bo.id) == []
