"""Money into a wallet: a payment credits once, and the sign-up credit is promotional."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import ledger
from app.activity.models import Activity
from app.db import transaction
from app.errors import IdempotencyKeyReused
from app.wallet import accounts, signup, topups
from tests.support.people import Person


@dataclass
class Paid:
    id: str
    customer_id: str
    amount_minor: int
    currency: str = "usd"


def test_a_payment_credits_once_whatever_reports_it(session: Session, ada: Person) -> None:
    order = Paid("ord_1", ada.customer_id, 5_000)

    for _ in range(3):
        with transaction(session):
            entry = topups.credit(session, order, payment_id="pi_1", channel="stripe")

    assert ada.balance() == 55_000_000
    assert entry.key == "topup:stripe:pi_1"
    assert entry.data["order"] == "ord_1"
    assert entry.leg(accounts.cash("stripe")).amount == -50_000_000
    told = session.scalars(select(Activity).where(Activity.action == "wallet.topped_up")).all()
    assert [(line.actor, line.subject) for line in told] == [("stripe", "ord_1")]


def test_one_payment_cannot_credit_two_amounts(session: Session, ada: Person) -> None:
    with transaction(session):
        topups.credit(session, Paid("ord_1", ada.customer_id, 5_000), payment_id="pi_1", channel="stripe")

    with pytest.raises(IdempotencyKeyReused), transaction(session):
        topups.credit(session, Paid("ord_1", ada.customer_id, 6_000), payment_id="pi_1", channel="stripe")


def test_the_sign_up_credit_is_promotional_and_comes_once(session: Session, ada: Person) -> None:
    balance = ledger.balance(session, ada.wallet)
    assert (balance.balance, balance.promo, balance.paid) == (5_000_000, 5_000_000, 0)

    with transaction(session):
        again = signup.give_credit(session, ada.customer_id, ada.email, 5_000_000)

    assert again is not None
    assert again.replayed
    assert ada.balance() == 5_000_000


def test_no_credit_is_given_when_it_is_switched_off(session: Session, bo: Person) -> None:
    with transaction(session):
        assert signup.give_credit(session, bo.customer_id, bo.email, 0) is None


def test_no_address_is_written_where_it_cannot_be_erased(session: Session, ada: Person) -> None:
    [line] = session.scalars(select(Activity).where(Activity.action == "wallet.signup_credited")).all()

    assert ada.email not in str(line.details)
    assert "@" not in str(ledger.history(session, ada.wallet)[0].data)
