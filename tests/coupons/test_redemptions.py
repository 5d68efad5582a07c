"""Using a coupon: one use for each purchase, free again when it comes to nothing, and one winner for the last one."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import activity, coupons, ledger
from app import clock as the_clock
from app.coupons import gifts, issue
from app.coupons.models import Coupon, Redemption
from app.db import transaction
from app.errors import IdempotencyKeyReused
from tests.coupons.conftest import usd


@pytest.fixture
def take(session):
    """Reserves in a transaction of its own: `take("OFF", "cus_…", "ord_1")`."""

    def reserve(code, customer_id, key, what="plan:studio", price=2_900):
        with transaction(session):
            return coupons.reserve(session, code, customer_id=customer_id, what=what, price=usd(price), key=key)

    return reserve


def used(session: Session, code: str) -> int:
    session.rollback()
    session.expire_all()
    return session.scalars(select(Coupon.redeemed).where(Coupon.code == code)).one()


def at_once(work, arguments):
    """Run `work` in a thread for each argument, started together; what each returned or raised."""
    ready, told = threading.Barrier(len(arguments)), []

    def run(argument):
        ready.wait()
        try:
            told.append(work(argument))
        except Exception as wrong:
            told.append(wrong)

    threads = [threading.Thread(target=run, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_the_last_use_has_one_winner(engine, session, coupon, buyer):
    coupon("LAST", percent=50, most=1)
    everyone = [buyer(f"p{number}@example.com") for number in range(8)]

    def reserve(customer_id):
        with Session(engine) as mine, transaction(mine):
            return coupons.reserve(mine, "LAST", customer_id=customer_id, what="plan:a", price=usd(100), key="ord_1")[
                0
            ].customer_id

    told = at_once(reserve, everyone)

    winners = [each for each in told if isinstance(each, str)]
    assert len(winners) == 1, told
    assert all(isinstance(each, coupons.CouponUsedUp) for each in told if not isinstance(each, str)), told
    assert used(session, "LAST") == 1


def test_one_person_cannot_use_it_twice_at_once(engine, session, coupon, buyer):
    coupon("MINE", percent=50)
    me = [buyer("me@example.com"), buyer("me+2@example.com")]

    def reserve(number):
        with Session(engine) as mine, transaction(mine):
            return coupons.reserve(
                mine, "MINE", customer_id=me[number % 2], what="plan:a", price=usd(100), key=f"ord_{number}"
            )[0].id

    told = at_once(reserve, list(range(6)))

    assert sorted(type(each).__name__ for each in told) == ["CouponUsedByYou"] * 5 + ["str"]
    assert used(session, "MINE") == 1


def test_one_purchase_sent_twice_at_once_takes_one_use(engine, session, coupon, buyer):
    coupon("MINE", percent=50, most_per_customer=5)
    me = buyer("me@example.com")

    def reserve(_):
        with Session(engine) as mine, transaction(mine):
            return coupons.reserve(mine, "MINE", customer_id=me, what="plan:a", price=usd(100), key="ord_1")[0].id

    told = at_once(reserve, list(range(4)))

    assert len(set(told)) == 1, told
    assert used(session, "MINE") == 1


def test_paying_and_giving_up_at_once_end_in_one_of_the_two(engine, session, coupon, buyer, take):
    coupon("OFF", percent=50, most=1)
    me = buyer("me@example.com")
    take("OFF", me, "ord_1")

    def end(verb):
        with Session(engine) as mine, transaction(mine):
            return verb(mine, me, "ord_1")

    told = at_once(end, [coupons.redeem, coupons.release, coupons.release])

    assert not [each for each in told if isinstance(each, Exception)]
    # A payment counts whatever came before it, and nothing is counted twice.
    state = session.scalars(select(Redemption.state)).one()
    assert (state, used(session, "OFF")) == ("redeemed", 1)


def test_a_released_use_is_free_again(session, coupon, buyer, take):
    coupon("LAST", percent=50, most=1)
    ann, bo = buyer("ann@example.com"), buyer("bo@example.com")
    take("LAST", ann, "ord_1")
    with transaction(session):
        assert coupons.release(session, ann, "ord_1")
        assert not coupons.release(session, ann, "ord_1")

    take("LAST", bo, "ord_2")

    assert used(session, "LAST") == 1


class TestOnOneDatabase:
    """Rules that do not depend on locks."""

    @pytest.fixture
    def database_url(self, sqlite_url):
        return sqlite_url

    def test_a_purchase_tried_again_reserves_again(self, session, coupon, buyer, take):
        coupon("LAST", percent=50, most=1)
        ann = buyer("ann@example.com")
        first, _ = take("LAST", ann, "ord_1")
        with transaction(session):
            coupons.release(session, ann, "ord_1")

        again, discount = take("LAST", ann, "ord_1")

        assert (again.id, again.state, discount.redemption_id) == (first.id, "reserved", first.id)
        assert used(session, "LAST") == 1

    def test_another_code_for_the_same_purchase_frees_the_first(self, session, coupon, buyer, take):
        coupon("ONE", percent=10, most=1)
        coupon("TWO", percent=20, most=1)
        ann = buyer("ann@example.com")
        take("ONE", ann, "ord_1")

        _, discount = take("TWO", ann, "ord_1")

        assert discount.off == usd(580)
        assert (used(session, "ONE"), used(session, "TWO")) == (0, 1)
        with transaction(session):
            coupons.redeem(session, ann, "ord_1")
        with pytest.raises(IdempotencyKeyReused):
            take("ONE", ann, "ord_1")

    def test_a_reservation_runs_out_by_itself(self, session, coupon, buyer, take, clock):
        coupon("OFF", percent=50, most=2)
        ann, bo = buyer("ann@example.com"), buyer("bo@example.com")
        take("OFF", ann, "ord_1")
        take("OFF", bo, "ord_2")
        with transaction(session):
            coupons.redeem(session, bo, "ord_2")

        clock.advance(hours=26)
        with transaction(session):
            released = coupons.release_expired(session, the_clock.now())

        assert (released, used(session, "OFF")) == (1, 1)

    def test_a_payment_after_that_is_honoured(self, session, coupon, buyer, take, clock):
        coupon("LAST", percent=50, most=1)
        ann, bo = buyer("ann@example.com"), buyer("bo@example.com")
        take("LAST", ann, "ord_1")
        clock.advance(hours=26)
        with transaction(session):
            coupons.release_expired(session, the_clock.now())
        take("LAST", bo, "ord_2")

        with transaction(session):
            late = coupons.redeem(session, ann, "ord_1")

        assert late.state == "redeemed"
        assert used(session, "LAST") == 1  # the limit in all stays the limit
        assert session.scalar(select(func.count()).where(Redemption.state != "released")) == 2

    def test_redeeming_twice_is_once(self, session, coupon, buyer, take):
        coupon("BONUS", credits=100)
        ann = buyer("ann@example.com")
        take("BONUS", ann, "ord_1")

        for _ in range(2):
            with transaction(session):
                coupons.redeem(session, ann, "ord_1")

        assert [bonus.credits for bonus in gifts.waiting(session, 10)] == [100]

    def test_a_purchase_without_a_coupon_has_none_to_redeem(self, session):
        with transaction(session):
            assert coupons.redeem(session, "cus_x", "ord_1") is None
            assert coupons.release(session, "cus_x", "ord_1") is False

    def test_on_a_top_up_its_worth_comes_on_top_as_promotional_money(self, session, coupon, buyer, take):
        coupon("TOP10", percent=10, scope={"topups": True})
        ann = buyer("ann@example.com")
        take("TOP10", ann, "ord_1", what="topup", price=5_000)

        with transaction(session):
            coupons.redeem(session, ann, "ord_1")

        wallet = ledger.balance(session, ledger.Account(ann, "wallet", "usd"))
        assert (wallet.balance, wallet.promo) == (5_000_000, 5_000_000)

    def test_staff_see_who_used_it_in_the_audit_log(self, session, coupon, buyer, take):
        coupon("OFF", percent=50)
        ann = buyer("ann@example.com")
        take("OFF", ann, "ord_1")
        with transaction(session):
            coupons.redeem(session, ann, "ord_1", subscription_id="sub_1")

        [line] = activity.of_everyone(session, action="coupon.redeemed", limit=5).lines
        assert (line.customer_id, line.details["coupon"], line.details["given"]) == (ann, "OFF", 1_450)


class TestRenewals:
    """The invoices after the first."""

    @pytest.fixture
    def database_url(self, sqlite_url):
        return sqlite_url

    @pytest.fixture
    def ann(self, buyer):
        return buyer("ann@example.com")

    def begins(self, session, take, ann, code, **told):
        take(code, ann, "sub_1")
        with transaction(session):
            coupons.redeem(session, ann, "sub_1", subscription_id="sub_1", **told)

    def renews(self, session, ann, invoice, *, months=1, price=2_900, what="plan:studio"):
        with transaction(session):
            discount = coupons.for_invoice(session, ann, "sub_1", usd(price), what=what)
            if discount is not None:
                coupons.use_up(session, ann, discount, invoice_id=invoice, months=months)
            return discount.off.minor if discount else 0

    @pytest.mark.parametrize(
        ("told", "offs"),
        [
            ({}, [0, 0, 0]),
            ({"duration": "repeating", "months": 3}, [580, 580, 0]),
            ({"duration": "forever"}, [580, 580, 580]),
        ],
    )
    def test_it_lasts_as_long_as_it_says(self, session, coupon, take, ann, told, offs):
        coupon("OFF20", percent=20, **told)
        self.begins(session, take, ann, "OFF20")

        assert [self.renews(session, ann, f"inv_{number}") for number in range(3)] == offs

    def test_an_invoice_made_twice_counts_once(self, session, coupon, take, ann):
        coupon("OFF20", percent=20, duration="repeating", months=3)
        self.begins(session, take, ann, "OFF20")

        for _ in range(3):
            self.renews(session, ann, "inv_1")

        assert self.renews(session, ann, "inv_2") == 580
        assert self.renews(session, ann, "inv_3") == 0

    def test_a_yearly_plan_is_covered_by_years(self, session, coupon, take, ann):
        coupon("OFF20", percent=20, duration="repeating", months=18)
        self.begins(session, take, ann, "OFF20", months=12)

        assert [self.renews(session, ann, f"inv_{number}", months=12) for number in range(2)] == [580, 0]

    def test_it_sleeps_while_the_plan_is_another(self, session, coupon, take, ann):
        coupon("OFF20", percent=20, duration="forever", scope={"plans": ["studio"]})
        self.begins(session, take, ann, "OFF20")

        assert self.renews(session, ann, "inv_1", what="plan:growth") == 0
        assert self.renews(session, ann, "inv_2") == 580

    def test_bonus_credits_come_with_each_invoice(self, session, coupon, take, ann):
        coupon("BONUS", credits=100, duration="repeating", months=3)
        self.begins(session, take, ann, "BONUS")

        for invoice in ("inv_1", "inv_1", "inv_2", "inv_3"):
            self.renews(session, ann, invoice)

        assert [bonus.credits for bonus in gifts.waiting(session, 10, customer_id=ann)] == [100, 100, 100]

    def test_retiring_it_takes_nothing_from_those_who_have_it(self, session, coupon, take, ann):
        made = coupon("OFF20", percent=20, duration="forever")
        self.begins(session, take, ann, "OFF20")
        with transaction(session):
            issue.retire(session, made.id, actor="staff:usr_ann")

        assert self.renews(session, ann, "inv_1") == 580

    def test_an_unpaid_purchase_gives_nothing(self, session, coupon, take, ann):
        coupon("OFF20", percent=20, duration="forever")
        take("OFF20", ann, "sub_1")

        assert coupons.for_invoice(session, ann, "sub_1", usd(2_900)) is None


def test_a_reservation_can_be_given_its_own_end(session, coupon, buyer, clock):
    coupon("OFF", percent=10)
    ann = buyer("ann@example.com")
    with transaction(session):
        coupons.reserve(
            session,
            "OFF",
            customer_id=ann,
            what="plan:a",
            price=usd(100),
            key="ord_1",
            expires_at=clock.now + timedelta(minutes=5),
        )

    clock.advance(minutes=5)

    with transaction(session):
        assert coupons.release_expired(session, the_clock.now()) == 1
