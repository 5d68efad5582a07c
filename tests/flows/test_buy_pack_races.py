"""Packs bought, paid and told of by many at once: one order a form, one grant a payment, one use of a coupon."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from app import credits
from app.catalogue import file, publish, shipped
from app.coupons import CouponRefused, issue
from app.coupons.models import Coupon
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.flows import buy_pack, settle
from app.flows.buy_pack import Wish
from app.flows.payer import Told
from app.payments import Order, Payment, inbox
from tests.support.fake_provider import heard, told
from tests.support.payments import make_customer


@pytest.fixture(autouse=True)
def packs(session):
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")


def buy(session, fake, payer, form="f", coupon=None):
    wish = Wish("medium", form, "usr_1", "https://x.example/{order}", "https://x.example/", coupon=coupon)
    return buy_pack.start(session, fake, payer, wish)


def keep(session, order, kind, **more):
    news = heard(told(kind, order.id, **{"amount": 4_500, **more}))
    with transaction(session):
        inbox.keep(session, provider="stripe", verified=news.verified, body=news.body, headers={})


def at_once(sessions, number, do):
    """`do(session)` in so many threads, begun together."""
    start = Barrier(number)

    def one(_):
        with sessions() as session:
            start.wait()
            return do(session)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_events_of_one_payment_applied_in_parallel_bring_the_credits_once(session, sessions, providers, fake, payer):
    order = buy(session, fake, payer)
    for kind in ("completed_paid", "paid", "completed", "paid"):
        keep(session, order, kind)

    at_once(sessions, 4, lambda _: settle.apply_pending(sessions, providers, limit=1))
    while settle.apply_pending(sessions, providers):
        pass

    assert credits.balance(session, payer.id).available == 500
    assert session.scalar(select(func.count()).select_from(Payment)) == 1


def test_one_form_sent_many_times_at_once_is_one_order(session, sessions, fake, payer):
    made = at_once(sessions, 4, lambda mine: buy(mine, fake, payer).id)

    assert len(set(made)) == 1
    assert len(fake.pages) == 1
    assert session.scalar(select(func.count()).select_from(Order)) == 1


def test_the_last_use_of_a_coupon_that_pays_it_all_has_one_winner(session, sessions, fake):
    with transaction(session):
        terms = Terms("ALLOFIT", "percent", 100, Limits("All of it", most=1), scope={"packs": []})
        coupon = issue.make(session, terms, actor="staff:usr_ann")
    made = [make_customer(session, f"Customer {number}") for number in range(3)]
    payers = iter([Told(each.id, each.name, each.email) for each in made])

    def take(mine):
        try:
            return buy(mine, fake, next(payers), coupon="ALLOFIT").state
        except CouponRefused:
            return "refused"

    ends = at_once(sessions, 3, take)

    assert sorted(ends) == ["paid", "refused", "refused"]
    session.rollback()  # it looks at the books as they were before
    session.expire_all()
    assert session.get_one(Coupon, coupon.id).redeemed == 1
    granted = session.scalar(select(func.count()).select_from(credits.models.CreditGrant))
    assert granted == 1
