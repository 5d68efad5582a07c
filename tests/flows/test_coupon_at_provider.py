"""A coupon as a provider's discount: made there once, with what never changes; and freed by the worker in time."""

from __future__ import annotations

import pytest

from app import coupons
from app.coupons import issue
from app.coupons.models import Coupon
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.errors import UnsupportedByChannel
from app.flows import sweep
from app.flows.coupon_at_provider import discount_at
from app.money import Money
from app.providers.errors import Unavailable
from app.providers.values import Cap, DiscountRef
from tests.support.fake_provider import FakeProvider

PRICE = Money(2_900, "usd")


class WithCoupons(FakeProvider):
    """The double, taking coupons."""

    def __init__(self):
        super().__init__(caps=frozenset({Cap.DISCOUNTS}))

    def ensure_coupon(self, terms, *, key):
        return self._once("ensure_coupon", key, terms, lambda: DiscountRef(terms.coupon_id, "promo_1"))


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def reserved(session, payer):
    def reserve(code="OFF20", kind="percent", value=20, **told):
        terms = Terms(code, kind, value, Limits(code), "usd" if kind == "amount" else None, **told)
        with transaction(session):
            issue.make(session, terms, actor="staff:usr_ann")
            return coupons.reserve(session, code, customer_id=payer.id, what="plan:studio", price=PRICE, key="ord_1")[1]

    return reserve


def test_it_is_made_there_once_and_remembered(session, reserved):
    provider, discount = WithCoupons(), reserved(duration="repeating", months=3, scope={"plans": ["studio"]})

    made = [discount_at(session, provider, discount) for _ in range(2)]

    assert made == [DiscountRef(discount.coupon_id, "promo_1")] * 2
    assert [verb for verb, _ in provider.calls] == ["ensure_coupon"]
    terms, _ = next(iter(provider._answers.values()))
    assert (terms.percent, terms.amount, terms.duration, terms.months) == (20, None, "repeating", 3)
    assert (terms.plans, terms.max_redemptions, terms.ends_at) == ({"studio": "studio"}, None, None)


def test_an_amount_is_told_with_its_currency(session, reserved):
    provider, discount = WithCoupons(), reserved("TEN", "amount", 1_000)

    discount_at(session, provider, discount)

    terms, _ = next(iter(provider._answers.values()))
    assert (terms.percent, terms.amount) == (None, Money(1_000, "usd"))


def test_bonus_credits_are_no_providers_matter(session, reserved):
    assert discount_at(session, FakeProvider(), reserved("BONUS", "credits", 100)) is None


def test_a_provider_without_coupons_refuses(session, reserved):
    discount = reserved()

    with pytest.raises(UnsupportedByChannel):
        discount_at(session, FakeProvider(), discount)


def test_after_no_answer_the_same_call_is_made_again(session, reserved):
    provider, discount = WithCoupons(), reserved()

    def cut(_verb):
        raise Unavailable("no answer")

    provider.after = cut
    with pytest.raises(Unavailable):
        discount_at(session, provider, discount)
    provider.after = lambda _verb: None

    assert discount_at(session, provider, discount) == DiscountRef(discount.coupon_id, "promo_1")
    assert len({key for _, key in provider.calls}) == 1


def test_the_worker_frees_what_nobody_finished(session, sessions, reserved, clock):
    discount = reserved()
    clock.advance(hours=27)

    assert sweep.sweep(sessions, {}) == 1

    session.rollback()
    session.expire_all()
    assert session.get_one(Coupon, discount.coupon_id).redeemed == 0
