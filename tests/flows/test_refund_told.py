"""What a provider tells of refunds: ours, those made on its own pages, sums so far, failures later on (SPEC W4)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import ledger
from app.activity.models import Activity
from app.customers.models import Customer
from app.db import transaction
from app.payments import ProviderEvent
from app.payments.dispute_table import Dispute
from app.payments.models import Refund
from app.providers.errors import InvalidRequest, Unavailable
from app.providers.values import Cap
from app.wallet.accounts import wallet_of
from tests.support.fake_refunds import PAYS_BACK, RefundProvider
from tests.support.payments import make_customer
from tests.support.refunding import Wallet
from tests.support.time import Clock

Tells = Callable[..., bool]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What PostgreSQL could do differently is in `test_refund_at_once`."""
    return sqlite_url


@pytest.fixture
def ada(session: Session, payer: Customer, tells: Tells, sessions: Any) -> Wallet:
    """Ada, whose top-up of $50 was paid."""
    there = Wallet(session, RefundProvider(), payer.id, tells, sessions)
    there.tops_up(5000)
    return there


def refunds_of(ada: Wallet) -> list[Refund]:
    with transaction(ada.session):
        return list(ada.session.scalars(select(Refund).order_by(Refund.created_at, Refund.id)))


def made_there(ada: Wallet, minor: int, name: str = "re_there") -> None:
    """On the provider's own pages, which then tell of it."""
    ada.fake.pays_back_unasked("pay_1", minor, name)
    ada.hears(refund=name, amount=minor)


def test_one_made_on_the_providers_pages_takes_the_money_out_once(ada: Wallet) -> None:
    made_there(ada, 2000)
    ada.hears(refund="re_there", amount=2000)

    [row] = refunds_of(ada)
    assert (row.kind, row.state, row.net_minor, row.requested_by) == ("topup", "succeeded", 2000, "stripe")
    assert (ada.minor, ada.told(), ada.books_are_right()) == (3000, ["refund_made"], True)
    assert ada.refunds().net_minor == 3000


def test_one_that_was_taken_for_refused_and_made_after_all_is_gone_once(ada: Wallet) -> None:
    """The provider said no to a second asking, which the first one had been done by."""
    ada.fake.before = lambda _verb: (_ for _ in ()).throw(InvalidRequest("It has been refunded."))  # type: ignore[assignment]
    refused = ada.refunds()
    assert (refused.state, ada.minor) == ("failed", 5000)

    for _ in range(2):
        ada.hears(refund="re_1", ours=refused.id, amount=5000)

    assert (ada.states(), ada.minor) == (["failed", "succeeded"], 0)


def test_it_may_leave_a_hole_when_the_money_is_spent(ada: Wallet) -> None:
    ada.spends(4000)

    made_there(ada, 5000)

    assert (ada.minor, ada.books_are_right()) == (-4000, True)


def test_ours_told_before_its_own_answer_is_the_same(ada: Wallet, clock: Clock) -> None:
    def tells_first(verb: str) -> None:
        if verb == "refund":
            [row] = refunds_of(ada)
            ada.hears(refund="re_pay_1_0", amount=5000, ours=row.id)
            raise Unavailable("No answer.")

    ada.fake.after = tells_first
    ada.refunds()
    clock.advance(hours=1)

    assert (ada.states(), ada.goes_on(), ada.minor) == (["succeeded"], 0, 0)
    assert ada.books_are_right()


@pytest.mark.parametrize("status", ["pending", "succeeded"])
def test_one_that_fails_later_is_back_in_the_wallet(ada: Wallet, status: str) -> None:
    ada.fake.status = status
    made = ada.refunds(2000)

    ada.fake.fails("pay_1", "re_pay_1_0")
    for _ in range(2):
        ada.hears(refund="re_pay_1_0", amount=2000, ours=made.id, status="failed", failure="The card is closed.")
    ada.hears(refund="re_pay_1_0", amount=2000, ours=made.id)  # what was said before comes late

    [row] = refunds_of(ada)
    assert (row.state, row.failure, ada.minor) == ("failed", "The card is closed.", 5000)
    assert ada.told() == ["refund_made", "refund_failed"]
    assert ada.books_are_right()
    ada.fake.status = "succeeded"
    assert ada.refunds(key="again").net_minor == 5000


def test_one_of_the_providers_that_fails_later_is_back_too(ada: Wallet) -> None:
    made_there(ada, 2000)
    ada.fake.fails("pay_1", "re_there")
    ada.hears(refund="re_there", amount=2000, status="failed")

    assert (ada.minor, ada.states(), ada.books_are_right()) == (5000, ["failed"], True)


def test_a_failure_that_is_told_first_leaves_nothing_to_do(ada: Wallet) -> None:
    ada.hears(refund="re_there", amount=2000, status="failed")
    ada.hears(refund="re_there", amount=2000)

    assert (ada.minor, ada.states()) == (5000, ["failed"])


def test_sums_so_far_post_only_what_is_new(ada: Wallet) -> None:
    ada.fake.capabilities, ada.fake.is_nameless = PAYS_BACK - {Cap.IDEMPOTENCY_KEYS}, True
    ada.refunds(1000)

    for so_far in (1000, 2500, 2500, 1000, 4000):
        if so_far > ada.fake.gone():
            ada.fake.pays_back_unasked("pay_1", so_far - ada.fake.gone(), f"at {so_far}")
        ada.hears(refund="pay_1", amount=so_far, cumulative=so_far)

    assert [row.amount_minor for row in refunds_of(ada)] == [1000, 1500, 1500]
    assert (ada.minor, ada.books_are_right()) == (1000, True)


def test_a_sum_that_holds_ours_answers_for_it(ada: Wallet, clock: Clock) -> None:
    ada.fake.capabilities, ada.fake.is_nameless = PAYS_BACK - {Cap.IDEMPOTENCY_KEYS}, True
    ada.fake.after = lambda _verb: (_ for _ in ()).throw(Unavailable("No answer."))  # type: ignore[assignment]
    ada.refunds(2000)

    ada.hears(refund="pay_1", amount=2000, cumulative=2000)

    assert ([row.state for row in refunds_of(ada)], ada.minor, ada.books_are_right()) == (["succeeded"], 3000, True)


def test_one_that_no_id_tells_apart_is_the_one_that_is_waited_for(ada: Wallet) -> None:
    ada.fake.capabilities, ada.fake.is_nameless = PAYS_BACK - {Cap.IDEMPOTENCY_KEYS}, True
    ada.fake.after = lambda _verb: (_ for _ in ()).throw(Unavailable("No answer."))  # type: ignore[assignment]
    ada.refunds(2000)

    ada.hears(refund="re_x", amount=2000)

    assert ([row.state for row in refunds_of(ada)], ada.minor) == (["succeeded"], 3000)


def test_before_its_payment_is_known_it_waits(ada: Wallet, clock: Clock) -> None:
    ada.hears(refund="re_early", payment="pay_2", amount=1000)
    assert ada.states() == []

    ada.tops_up(3000, "pay_2")
    ada.fake.pays_back_unasked("pay_2", 1000, "re_early")
    clock.advance(minutes=1)
    ada.works()

    assert (ada.minor, ada.states(), ada.books_are_right()) == (7000, ["succeeded"], True)
    with transaction(ada.session):
        assert set(ada.session.scalars(select(ProviderEvent.state))) == {"done"}


def test_one_of_a_payment_that_is_never_known_is_put_away_with_its_reason(ada: Wallet, clock: Clock) -> None:
    """The same account may sell other things."""
    ada.hears(refund="re_foreign", payment="pay_foreign", amount=1000)
    for _ in range(12):
        clock.advance(hours=2)
        ada.works()

    with transaction(ada.session):
        [event] = ada.session.scalars(select(ProviderEvent))
        assert (event.state, "something else" in str(event.error)) == ("ignored", True)
    assert ada.states() == []


def test_after_a_lost_dispute_it_is_our_own_loss(ada: Wallet) -> None:
    ada.tells("dispute", None, phase="lost", amount=5000)
    ada.works()

    ada.hears(refund="re_there", amount=2000)

    [row] = refunds_of(ada)
    assert (row.own_loss_minor, ada.minor) == (0, 0)
    with transaction(ada.session):
        assert "refund.own_loss" in set(ada.session.scalars(select(Activity.action)))
        [lost] = ada.session.scalars(select(Dispute))
        assert (lost.reversed_minor, lost.own_loss_minor) == (3000, 2000), "as if the refund had been told first"
        rows = {row.account: row.balance // 10_000 for row in ledger.trial_balance(ada.session) if row.asset == "usd"}
    assert (rows["cash:stripe"], rows["losses"], rows["chargebacks:stripe"]) == (2000, -2000, 0)


def house(ada: Wallet) -> dict[str, int]:
    """The house's accounts that are not even, in cents."""
    with transaction(ada.session):
        rows = [row for row in ledger.trial_balance(ada.session) if row.house and row.asset == "usd" and row.balance]
    return {row.account: row.balance // 10_000 for row in rows}


@pytest.mark.parametrize("spent", [0, 1000])
def test_one_made_again_there_before_ours_is_told_to_have_failed_is_paid_once(ada: Wallet, spent: int) -> None:
    ada.spends(spent) if spent else None
    ada.fake.status = "pending"
    made = ada.refunds(5000 - spent)
    ada.fake.fails("pay_1", "re_pay_1_0")
    made_there(ada, 5000)
    assert house(ada).get("losses", 0) == spent - 5000, "ours may still arrive, and then both went"
    assert "cash:stripe" not in house(ada)

    for _ in range(2):
        ada.hears(refund="re_pay_1_0", amount=5000 - spent, ours=made.id, status="failed")

    assert (ada.minor, house(ada).get("losses", 0)) == (-spent, 0)
    assert [row.own_loss_minor for row in refunds_of(ada)] == [0, 0]
    assert ada.books_are_right()


def test_what_took_the_place_of_a_failed_refund_and_fails_too_is_put_back(ada: Wallet) -> None:
    ada.fake.status = "pending"
    made = ada.refunds()
    ada.fake.fails("pay_1", "re_pay_1_0")
    made_there(ada, 3000, "re_there")
    ada.hears(refund="re_pay_1_0", amount=5000, ours=made.id, status="failed")
    assert ada.minor == 2000

    ada.fake.fails("pay_1", "re_there")
    ada.hears(refund="re_there", amount=3000, status="failed")

    assert (ada.minor, house(ada)) == (5000, {"cash:stripe": -5000})


def test_more_than_was_paid_is_our_loss_and_leaves_our_cash(ada: Wallet) -> None:
    made_there(ada, 4000, "re_a")
    made_there(ada, 3000, "re_b")
    assert (ada.minor, house(ada)) == (0, {"cash:stripe": 2000, "losses": -2000})

    ada.fake.fails("pay_1", "re_b")
    ada.hears(refund="re_b", amount=3000, status="failed")

    assert (ada.minor, house(ada)) == (1000, {"cash:stripe": -1000})


def test_every_order_of_its_news_ends_the_same(session: Session, tells: Tells, sessions: Any) -> None:
    ends = set()
    news = [
        {"refund": "re_a", "amount": 1000, "status": "succeeded"},
        {"refund": "re_b", "amount": 2000, "status": "succeeded"},
        {"refund": "re_b", "amount": 2000, "status": "failed"},
    ]
    for number, order in enumerate(permutations(news)):
        payment = f"pay_{number + 1}"
        ada = Wallet(session, RefundProvider(), make_customer(session).id, tells, sessions)
        ada.tops_up(5000, payment)
        for each in order:
            name = f"{payment}_{each['refund']}"
            tells("refund", None, payment=payment, **{**each, "refund": name})
        ada.works()
        with transaction(session):
            states = session.scalars(select(Refund.state).where(Refund.customer_id == ada.customer_id))
            ends.add((ledger.balance(session, wallet_of(ada.customer_id)).balance // 10_000, *sorted(states)))

    assert ends == {(4000, "failed", "succeeded")}
