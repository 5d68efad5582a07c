"""Quoting a coupon: what it would take off, and each reason for which it takes off nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app import coupons
from app.coupons import issue
from app.db import transaction
from app.money import Money
from tests.coupons.conftest import usd


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def quoted(session, buyer):
    ann = buyer("ann@example.com")

    def ask(code, what="plan:studio", price=None):
        return coupons.quote(session, code, customer_id=ann, what=what, price=price or usd(2_900))

    return ask


def test_it_says_what_is_left_to_pay(quoted, coupon):
    coupon("OFF20", percent=20)

    discount = quoted("OFF20")

    assert (discount.off, discount.after, discount.redemption_id) == (usd(580), usd(2_320), None)


@pytest.mark.parametrize("typed", ["off20", "  OFF20 ", "Off20\0"])
def test_a_code_is_found_however_it_is_typed(quoted, coupon, typed):
    coupon("OFF20", percent=20)

    assert quoted(typed).code == "OFF20"


def test_an_amount_larger_than_the_price_makes_it_free(quoted, coupon):
    coupon("FIFTY", amount=5_000)

    assert quoted("FIFTY").after == usd(0)


def test_bonus_credits_take_nothing_off(quoted, coupon):
    coupon("BONUS", credits=100)

    assert (quoted("BONUS").off, quoted("BONUS").credits) == (usd(0), 100)


def refused(quoted, *asked, **told):
    with pytest.raises(coupons.CouponRefused) as refusal:
        quoted(*asked, **told)
    assert refusal.value.field == "coupon"
    return type(refusal.value).code


def test_an_unknown_code_is_refused(quoted):
    assert refused(quoted, "NOPE") == "COUPON_UNKNOWN"
    assert refused(quoted, "") == "COUPON_UNKNOWN"


def test_it_begins_and_ends_to_the_second(quoted, coupon, clock):
    coupon("TODAY", percent=10, starts_at=clock.now + timedelta(hours=1), ends_at=clock.now + timedelta(hours=2))

    assert refused(quoted, "TODAY") == "COUPON_NOT_STARTED"
    clock.advance(hours=1)
    assert quoted("TODAY").code == "TODAY"
    clock.advance(hours=1)
    assert refused(quoted, "TODAY") == "COUPON_ENDED"


def test_a_retired_one_has_ended(quoted, coupon, session):
    made = coupon("OLD", percent=10)
    with transaction(session):
        issue.retire(session, made.id, actor="staff:usr_ann")

    assert refused(quoted, "OLD") == "COUPON_ENDED"


def test_it_is_for_what_its_scope_says(quoted, coupon):
    coupon("STUDIO", percent=10, scope={"plans": ["studio"]})

    assert quoted("STUDIO").off == usd(290)
    for what in ("plan:growth", "pack:studio", "topup"):
        assert refused(quoted, "STUDIO", what) == "COUPON_NOT_APPLICABLE"


def test_an_amount_is_for_its_own_currency(quoted, coupon):
    coupon("FIVE", amount=500)

    assert refused(quoted, "FIVE", price=Money(2_900, "eur")) == "COUPON_NOT_APPLICABLE"


def test_nothing_can_be_taken_off_nothing(quoted, coupon):
    coupon("OFF20", percent=20)

    assert refused(quoted, "OFF20", price=usd(0)) == "COUPON_NOT_APPLICABLE"


def test_used_up_and_used_by_you_are_told_apart(quoted, coupon, session, buyer):
    coupon("ONE", percent=20, most=1)
    coupon("MINE", percent=20)
    bo = buyer("bo@example.com")
    with transaction(session):
        coupons.reserve(session, "ONE", customer_id=bo, what="plan:studio", price=usd(100), key="ord_1")
        coupons.reserve(session, "MINE", customer_id=bo, what="plan:studio", price=usd(100), key="ord_2")

    assert refused(quoted, "ONE") == "COUPON_USED_UP"
    assert quoted("MINE").off == usd(580)
    with pytest.raises(coupons.CouponUsedByYou):
        coupons.quote(session, "MINE", customer_id=bo, what="plan:studio", price=usd(100))


@pytest.mark.parametrize(
    ("first", "second"), [("eve@example.com", "Eve+shop@example.com"), ("e.v.e@gmail.com", "eve+2@googlemail.com")]
)
def test_another_spelling_of_an_address_is_the_same_person(coupon, session, buyer, first, second):
    coupon("MINE", percent=20)
    one, other = buyer(first), buyer(second)
    with transaction(session):
        coupons.reserve(session, "MINE", customer_id=one, what="plan:a", price=usd(100), key="ord_1")

    with pytest.raises(coupons.CouponUsedByYou):
        coupons.quote(session, "MINE", customer_id=other, what="plan:a", price=usd(100))
