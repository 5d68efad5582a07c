"""A refund that fails although its payment is disputed: what it put back is the bank's, and comes back if we win."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app import clock, credits, ledger
from app.customers.models import Customer
from app.db import transaction
from app.flows import refund_sale
from app.payments import orders, returned, settling
from app.payments.dispute_table import Dispute
from app.wallet.accounts import wallet_of
from tests.support.fake_refunds import RefundProvider
from tests.support.refunding import Wallet

Tells = Callable[..., bool]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def ada(session: Session, payer: Customer, tells: Tells, sessions: sessionmaker[Session]) -> Wallet:
    """Ada, whose refund takes its time."""
    there = Wallet(session, RefundProvider(), payer.id, tells, sessions)
    there.fake.status = "pending"
    return there


def disputes(ada: Wallet, phase: str, payment: str = "pay_1", amount: int = 5000) -> None:
    ada.tells("dispute", None, phase=phase, payment=payment, amount=amount)
    ada.works()


def fails(ada: Wallet, payment: str = "pay_1") -> None:
    """The bank sends the refund back, since it has the payment."""
    [made] = ada.fake.made[payment]
    ada.hears(
        refund=made.refund_id, ours=made.our_refund_id, payment=payment, amount=made.amount.minor, status="failed"
    )


def stands(ada: Wallet) -> tuple[int, bool, int, int]:
    """The wallet in cents, whether it is frozen, and what the dispute says it took and could not take."""
    with transaction(ada.session):
        kept = ledger.balance(ada.session, wallet_of(ada.customer_id))
        found = ada.session.scalars(select(Dispute).execution_options(populate_existing=True)).one()
        assert ledger.audit(ada.session, full=True).faults == []
        return kept.balance // 10_000, kept.frozen, found.reversed_minor, found.own_loss_minor


def house(ada: Wallet) -> dict[str, int]:
    with transaction(ada.session):
        rows = [row for row in ledger.trial_balance(ada.session) if row.house and row.asset == "usd" and row.balance]
    return {row.account: row.balance // 10_000 for row in rows}


@pytest.mark.parametrize("refunded", [5000, 2000])
@pytest.mark.parametrize("end", ["won", "lost"])
def test_what_a_failed_refund_put_back_is_taken_by_the_dispute(ada: Wallet, refunded: int, end: str) -> None:
    ada.tops_up(5000)
    ada.refunds(refunded)
    disputes(ada, "open")
    assert stands(ada) == (0, True, 5000 - refunded, refunded)

    fails(ada)

    assert stands(ada) == (0, True, 5000, 0)
    disputes(ada, end)
    assert stands(ada)[:2] == ((5000, False) if end == "won" else (0, False))
    assert house(ada) == ({"cash:stripe": -5000} if end == "won" else {})


def test_one_that_fills_the_hole_of_a_lost_case_thaws_the_wallet(ada: Wallet) -> None:
    ada.tops_up(5000)
    ada.tops_up(3000, "pay_2")
    ada.refunds(3000, payment="pay_2")
    ada.spends(2000)
    disputes(ada, "open")
    disputes(ada, "lost")
    assert stands(ada)[:2] == (-2000, True)

    fails(ada, "pay_2")

    assert stands(ada)[:2] == (1000, False)


def test_one_that_fails_after_the_case_was_lost_gives_nothing_back(ada: Wallet) -> None:
    ada.tops_up(5000)
    ada.refunds(5000)
    disputes(ada, "open")
    disputes(ada, "lost")

    fails(ada)

    assert stands(ada) == (0, False, 5000, 0)
    assert house(ada) == {}


@pytest.mark.parametrize("is_paid", [False, True])
def test_a_disputed_packs_credits_come_back_only_if_the_case_is_won(ada: Wallet, is_paid: bool) -> None:
    ada.fake.paid["pay_p"] = 1000
    ada.fake.status = "succeeded" if is_paid else "pending"
    about = {"kind": "pack", "amount_minor": 1000, "currency": "usd", "channel": "stripe"}
    with transaction(ada.session):
        order = orders.open_order(ada.session, customer_id=ada.customer_id, form_key="p", created_by="usr_1", **about)
        orders.freeze(ada.session, order, {"pack": "small", "name": "100 credits", "credits": 100})
        settling.answered(ada.session, order, "pay_p")
        how: dict[str, Any] = {"key": "pack:stripe:pay_p", "is_paid": True, "actor": "stripe"}
        credits.grant(ada.session, ada.customer_id, 100, source="pack", **how)
        orders.pay(ada.session, order, "pay_p", at=clock.now())
    refund_sale.of_pack(ada.session, ada.providers, order.id, refund_sale.Wish("k", "staff:usr_9", "Did not fit"))
    disputes(ada, "open", "pay_p", 1000)

    fails(ada, "pay_p")

    assert (credits.balance(ada.session, ada.customer_id).available, ada.minor) == (0, 0)
    assert returned.returned_minor(ada.session, "stripe", "pay_p").refunded == 0
    disputes(ada, "won", "pay_p", 1000)
    assert (credits.balance(ada.session, ada.customer_id).available, ada.minor) == (100, 0)
