"""What a coupon gave on top of a top-up goes with its payment, as far as it is not spent, and comes back (P15, W1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import clock, credits, ledger
from app.customers.models import Customer
from app.db import transaction
from app.flows import grant_credits, refund_request, take_bonus_back
from app.flows.take_bonus_back import Bonus
from app.wallet.accounts import wallet_of
from tests.support.fake_refunds import RefundProvider
from tests.support.refunding import Wallet

Tells = Callable[..., bool]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def ada(session: Session, payer: Customer, tells: Tells, sessions: Any) -> Wallet:
    """Ada, whose top-up of $50 was paid with a coupon of $5 on top."""
    there = Wallet(session, RefundProvider(), payer.id, tells, sessions)
    there.tops_up_with_bonus()
    return there


def held(ada: Wallet) -> tuple[int, int]:
    """What the wallet holds, and how much of it is a gift, in cents."""
    with transaction(ada.session):
        now = ledger.balance(ada.session, wallet_of(ada.customer_id))
    return now.balance // 10_000, now.promo // 10_000


def disputed(ada: Wallet, phase: str, **more: Any) -> None:
    ada.tells("dispute", None, phase=phase, payment="pay_1", **more)
    ada.works()


def test_a_refund_takes_it_along(ada: Wallet) -> None:
    ada.refunds()

    assert (held(ada), ada.books_are_right()) == ((0, 0), True)


def test_a_part_takes_its_part_and_the_last_part_the_rest(ada: Wallet) -> None:
    ada.refunds(1666, key="a")
    assert held(ada) == (5500 - 1666 - 167, 333)

    ada.refunds(key="b")

    assert (held(ada), ada.books_are_right()) == ((0, 0), True)


def test_what_is_spent_of_it_is_not_taken(ada: Wallet) -> None:
    ada.spends(400)  # the gift goes first

    ada.refunds()

    assert held(ada) == (0, 0)


def test_what_is_held_of_it_is_not_taken(ada: Wallet) -> None:
    with transaction(ada.session):
        wallet = wallet_of(ada.customer_id)
        hold = ledger.hold(ada.session, wallet, 3_000_000, key="h", expires_at=clock.now() + timedelta(hours=1))

    ada.refunds()

    assert (hold.amount, held(ada)) == (3_000_000, (300, 300))


def test_other_gifts_stay(ada: Wallet) -> None:
    ada.tops_up_with_bonus("pay_2")
    ada.spends(700)  # all of the first gift and $2 of the second

    ada.refunds(payment="pay_1", key="a")
    assert held(ada) == (10_000 + 1000 - 700 - 5000, 300)

    ada.refunds(payment="pay_2", key="b")
    assert held(ada) == (0, 0)


@pytest.mark.parametrize("status", ["pending", "succeeded"])
def test_a_refund_that_fails_puts_it_back_as_a_gift(ada: Wallet, status: str) -> None:
    ada.fake.status = status
    made = ada.refunds(2000)
    assert held(ada) == (3300, 300)

    ada.fake.fails("pay_1", "re_pay_1_0")
    for _ in range(2):
        ada.hears(refund="re_pay_1_0", amount=2000, ours=made.id, status="failed")

    assert (held(ada), ada.books_are_right()) == ((5500, 500), True)


def test_a_refund_made_at_the_provider_takes_it_too_and_its_failure_gives_it_back(ada: Wallet) -> None:
    ada.fake.pays_back_unasked("pay_1", 5000, "re_there")
    for _ in range(2):
        ada.hears(refund="re_there", amount=5000)
    assert (held(ada), ada.books_are_right()) == ((0, 0), True)

    ada.fake.fails("pay_1", "re_there")
    ada.hears(refund="re_there", amount=5000, status="failed")

    assert (held(ada), ada.books_are_right()) == ((5500, 500), True)


def test_a_refund_at_the_provider_leaves_a_hole_of_what_was_paid_and_spent_alone(ada: Wallet) -> None:
    ada.spends(2000)

    ada.fake.pays_back_unasked("pay_1", 5000, "re_there")
    ada.hears(refund="re_there", amount=5000)

    assert held(ada) == (5500 - 2000 - 5000, 0)


@pytest.mark.parametrize("end", ["won", "prevented"])
def test_a_dispute_takes_it_and_one_that_is_won_gives_it_back(ada: Wallet, end: str) -> None:
    disputed(ada, "open")
    assert held(ada) == (0, 0)

    for _ in range(2):
        disputed(ada, end)

    assert (held(ada), ada.books_are_right()) == ((5500, 500), True)


def test_a_dispute_that_is_lost_keeps_it(ada: Wallet) -> None:
    disputed(ada, "open", amount=2500)
    disputed(ada, "lost", amount=2500)

    assert held(ada) == (2750, 250)


def test_a_refund_told_after_the_dispute_that_took_it_takes_nothing_more(ada: Wallet) -> None:
    disputed(ada, "open")
    ada.hears(refund="re_there", amount=2000)
    assert held(ada) == (0, 0)

    disputed(ada, "won")

    assert held(ada) == (3300, 300)


def test_bonus_credits_go_along_too_granted_or_not(ada: Wallet) -> None:
    ada.tops_up_with_bonus("pay_2", "credits", 100)
    assert take_bonus_back.would_go(ada.session, "stripe", "pay_2", 2500) == Bonus(credits=50)

    made = ada.refunds(2500, payment="pay_2")
    assert credits.balance(ada.session, ada.customer_id).available == 50

    ada.fake.fails("pay_2", "re_pay_2_0")
    ada.hears(refund="re_pay_2_0", payment="pay_2", amount=2500, ours=made.id, status="failed")
    assert grant_credits.grant_due(ada.sessions) == 0
    assert credits.balance(ada.session, ada.customer_id).available == 100

    ada.refunds(payment="pay_2", key="again")
    assert credits.balance(ada.session, ada.customer_id).available == 0


def test_bonus_credits_come_back_once_where_a_case_that_was_prevented_is_won(ada: Wallet) -> None:
    ada.tops_up_with_bonus("pay_2", "credits", 100)

    for phase, left in (("open", 0), ("prevented", 100), ("won", 100)):
        ada.tells("dispute", None, phase=phase, payment="pay_2")
        ada.works()
        assert credits.balance(ada.session, ada.customer_id).available == left


def test_bonus_credits_come_back_whole_where_a_refund_failed_for_a_dispute_that_is_won(ada: Wallet) -> None:
    ada.tops_up_with_bonus("pay_2", "credits", 97)
    ada.fake.status = "pending"
    made = ada.refunds(2500, payment="pay_2")
    ada.tells("dispute", None, phase="open", payment="pay_2")
    ada.works()

    ada.hears(refund="re_pay_2_0", payment="pay_2", amount=2500, ours=made.id, status="failed")
    assert credits.balance(ada.session, ada.customer_id).available == 0

    ada.tells("dispute", None, phase="won", payment="pay_2")
    ada.works()
    assert credits.balance(ada.session, ada.customer_id).available == 97


def test_a_balance_of_which_some_is_held_goes_back_with_all_its_parts(ada: Wallet) -> None:
    ada.tops_up_with_bonus("pay_2")
    with transaction(ada.session):
        wallet, ends = wallet_of(ada.customer_id), clock.now() + timedelta(hours=1)
        ledger.hold(ada.session, wallet, 20_000_000, key="h", expires_at=ends)
    asked = {"reason": "We leave", "key": "all", "actor": "usr_1", "currency": "usd"}
    request = refund_request.ask(ada.session, ada.providers, ada.customer_id, **asked)

    done = refund_request.approve(ada.session, ada.providers, request.id, actor="staff:usr_ann")

    assert (done.state, held(ada)) == ("succeeded", (2000, 1000)), "what the bonus would have been is held, too"


def test_what_would_go_is_told_before(ada: Wallet) -> None:
    ada.spends(200)

    assert take_bonus_back.would_go(ada.session, "stripe", "pay_1", 5000) == Bonus(micros=3_000_000)
    assert take_bonus_back.would_go(ada.session, "stripe", "pay_1", 1000) == Bonus(micros=1_000_000)
    ada.refunds(1000)
    assert held(ada) == (5500 - 200 - 1000 - 100, 200)
