"""A coupon on a top-up: paid in full, and its worth on top as promotional money, once (SPEC P15)."""

from __future__ import annotations

import pytest

from app import clock, coupons, ledger
from app.coupons import issue
from app.coupons.models import Coupon
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.flows import reactions, settle, top_up
from app.flows.news import News, Seen
from app.money import Money
from app.providers.events import PaymentSucceeded
from app.wallet.accounts import wallet_of
from tests.support.payments import wallet_minor


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def coupon(session):
    with transaction(session):
        terms = Terms("TOP10", "percent", 10, Limits("10 % on top", most=1), scope={"topups": True})
        return issue.make(session, terms, actor="staff:usr_ann")


@pytest.fixture
def opens(session, fake, payer):
    def start(amount, code="TOP10", form="f"):
        return top_up.start(
            session,
            fake,
            payer,
            amount,
            form_key=f"{form}:{amount}",
            return_url="https://x.example/{order}",
            actor="usr_1",
            coupon=code,
        )

    return start


def used(session, coupon):
    session.rollback()
    session.expire_all()
    return session.get_one(Coupon, coupon.id).redeemed


def test_what_it_is_worth_comes_on_top_once(session, sessions, providers, payer, opens, tells, coupon):
    order = opens(5_000)

    for _ in range(2):
        tells("paid", order.id, amount=5_000)
        settle.apply_pending(sessions, providers)

    assert wallet_minor(session, payer.id) == 5_500
    assert ledger.balance(session, wallet_of(payer.id)).promo == 5_000_000
    assert used(session, coupon) == 1


@pytest.mark.parametrize(("paid", "on_top"), [(1_000, 100), (4, 0)])
def test_of_a_sum_that_the_providers_own_code_made_smaller_it_is_worth_less(
    session, payer, opens, coupon, paid, on_top
):
    order = opens(5_000)
    event = PaymentSucceeded(
        provider="stripe", event_id="evt_1", raw_type="paid", occurred_at=clock.now(), livemode=False,
        payment_id="pay_1", order_id=order.id, net=Money(paid, "usd"), tax=0, customer_id=None, invoice_id=None,
        discount=5_000 - paid,
    )  # fmt: skip

    with transaction(session):
        reactions.credit_payment(session, event, News("in_1", "stripe", Seen(clock.now()), 7))

    assert wallet_minor(session, payer.id) == paid + on_top


def test_a_refused_code_opens_no_order(session, fake, payer, opens, coupon):
    with pytest.raises(coupons.CouponUnknown):
        opens(5_000, "NOPE")

    assert fake.pages == {}


def test_another_sum_takes_the_coupon_along(session, sessions, providers, payer, opens, tells, coupon):
    first, second = opens(5_000), opens(10_000)
    assert used(session, coupon) == 1

    tells("paid", second.id, amount=10_000)
    tells("paid", first.id, amount=5_000, payment="pay_2")
    settle.apply_pending(sessions, providers)

    assert wallet_minor(session, payer.id) == 10_000 + 1_000 + 5_000
    assert used(session, coupon) == 1


def test_an_expired_page_frees_it(session, sessions, providers, opens, tells, coupon):
    order = opens(5_000)

    tells("expired", order.id)
    settle.apply_pending(sessions, providers)

    assert used(session, coupon) == 0


def test_a_payment_after_that_has_it_while_it_is_free(session, sessions, providers, payer, opens, tells, coupon):
    order = opens(5_000)
    with transaction(session):
        coupons.release(session, payer.id, order.id)

    tells("paid", order.id, amount=5_000)
    settle.apply_pending(sessions, providers)

    assert wallet_minor(session, payer.id) == 5_500
    assert used(session, coupon) == 1
