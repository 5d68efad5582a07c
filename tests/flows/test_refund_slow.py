"""Refunds where a provider knows no keys and is slow: a worker and a request never ask for one at once (SPEC R4)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.customers.models import Customer
from app.db import transaction
from app.flows import refund, refund_request
from app.payments.models import Refund
from app.providers.errors import Unavailable
from tests.support.fake_refunds import RefundProvider
from tests.support.refunding import Wallet
from tests.support.time import Clock


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def ada(session: Session, payer: Customer, tells: Any, sessions: Any) -> Wallet:
    """Ada, who topped up $50 and $20 and spent $30."""
    there = Wallet(session, RefundProvider(is_nameless=True), payer.id, tells, sessions)
    there.tops_up(5000)
    there.tops_up(2000, "pay_2")
    there.spends(3000)
    return there


def approves(ada: Wallet) -> None:
    about = {"reason": "", "key": "k", "actor": "usr_1", "currency": "usd"}
    request = refund_request.ask(ada.session, ada.providers, ada.customer_id, **about)
    refund_request.approve(ada.session, ada.providers, request.id, actor="staff:usr_9")


def test_a_worker_leaves_alone_what_a_slow_request_is_asking_for(ada: Wallet, clock: Clock) -> None:
    def slow(verb: str) -> None:
        if verb == "refund":
            clock.advance(seconds=100)
            assert ada.goes_on() == 0, "a worker took what is being asked for"

    ada.fake.before = slow

    approves(ada)

    assert (ada.fake.gone("pay_1"), ada.fake.gone("pay_2"), ada.minor) == (2000, 2000, 0)
    assert ada.books_are_right()


def test_a_request_leaves_to_a_worker_what_that_has_taken(ada: Wallet, clock: Clock) -> None:
    def dies(_verb: str) -> None:
        raise KeyboardInterrupt

    ada.fake.before = dies
    with pytest.raises(KeyboardInterrupt):
        ada.refunds(1000)
    with transaction(ada.session):
        made = ada.session.scalars(select(Refund.id)).one()

    def wakes(_verb: str) -> None:
        """The request was only slow: it comes to its turn while the worker is asking."""
        ada.fake.before = lambda _verb: None
        with ada.sessions() as own:
            refund.carry_out(own, ada.providers, [made])

    ada.fake.before = wakes
    clock.advance(minutes=3)
    ada.goes_on()

    assert (ada.fake.gone("pay_1"), ada.states()) == (1000, ["succeeded"])


def test_two_of_one_payment_that_nobody_answered_are_never_taken_for_each_other(ada: Wallet, clock: Clock) -> None:
    def lost(verb: str) -> None:
        if verb == "refund":
            raise Unavailable("No answer.")

    ada.fake.before = lost  # the first never arrives
    ada.refunds(500, key="a")
    ada.fake.before, ada.fake.after = lambda _verb: None, lost  # the second would be made, and not answered
    ada.refunds(1000, key="b")
    assert ada.fake.gone("pay_1") == 0, "the second waits for the first"

    for _ in range(3):
        clock.advance(hours=1)
        ada.goes_on()
    ada.fake.after = lambda _verb: None
    for _ in range(2):
        clock.advance(hours=7)
        ada.goes_on()

    assert (ada.states(), ada.fake.gone("pay_1")) == (["succeeded", "succeeded"], 1500)
    assert ada.books_are_right()
