"""Buying a pack: what is bought is frozen, and the credits come once, with the provider's verified event."""

from __future__ import annotations

from itertools import permutations

import pytest
from sqlalchemy import func, select

from app import coupons, credits, ledger
from app.activity.models import Activity
from app.catalogue import file, publish, shipped
from app.catalogue.models import Pack
from app.catalogue.packs import PackChanged, PackNotForSale, Shown
from app.coupons import issue
from app.coupons.models import Coupon
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.errors import IdempotencyKeyReused, NotFound, ProviderDown, UnsupportedByChannel
from app.flows import buy_pack, settle, sweep
from app.flows.buy_pack import Wish
from app.payments import Order, Payment, ProviderEvent
from app.providers.errors import InvalidRequest
from app.providers.values import Cap
from tests.support.fake_provider import FakeProvider, heard, told
from tests.support.payments import again, lost, wallet_minor


@pytest.fixture
def database_url(sqlite_url):
    """SQLite, where a test does not say otherwise: see test_buy_pack_races.py."""
    return sqlite_url


@pytest.fixture(autouse=True)
def packs(session):
    """100 credits for $10, 500 for $45, 2,000 for $160."""
    with transaction(session):
        publish.apply(session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")


@pytest.fixture
def buys(session, fake, payer):
    def start(key="medium", form="f", **more):
        wish = Wish(key, form, "usr_1", "https://x.example/{order}", "https://x.example/{order}?left=1", **more)
        return buy_pack.start(session, fake, payer, wish)

    return start


@pytest.fixture
def work(sessions, providers):
    return lambda: settle.apply_pending(sessions, providers)


@pytest.fixture
def coupon(session):
    def make(kind="percent", value=20, **limits):
        currency = "usd" if kind == "amount" else None
        with transaction(session):
            terms = Terms("PACK20", kind, value, Limits("A coupon", **limits), currency, scope={"packs": []})
            return issue.make(session, terms, actor="staff:usr_ann")

    return make


def has(session, payer):
    session.rollback()
    return credits.balance(session, payer.id).available


def used(session, coupon):
    session.rollback()
    session.expire_all()
    return session.get_one(Coupon, coupon.id).redeemed


def house(session):
    """The house's accounts that moved, in dollars."""
    found = {row.account: row.balance // 1_000_000 for row in ledger.trial_balance(session) if row.asset == "usd"}
    return {account: balance for account, balance in found.items() if balance}


def acts(session, action):
    return session.scalar(select(func.count()).select_from(Activity).where(Activity.action == action))


def test_it_opens_a_page_for_what_was_bought(session, fake, payer, buys):
    order = buys(shown=Shown(4_500, 500))

    asked = fake.pages["cs_1"].request
    assert (order.kind, order.state, order.amount_minor, order.due_minor) == ("pack", "open", 4_500, 4_500)
    assert (asked.kind, asked.title, asked.amount.minor) == ("credit_pack", "500 credits", 4_500)
    assert asked.success_url == f"https://x.example/{order.id}"
    assert has(session, payer) == 0, "a page is not money"


def test_the_payment_brings_the_credits_and_never_wallet_money(session, payer, buys, tells, work):
    order = buys()

    tells("completed_paid", order.id, amount=4_500, tax=900)
    work()

    assert has(session, payer) == 500
    assert wallet_minor(session, payer.id) == 0
    assert (again(session, order).state, order.payment_id) == ("paid", "pay_1")
    found = credits.find_grant(session, payer.id, "pack:stripe:pay_1")
    assert (found.source, found.is_paid, found.expires_at) == ("pack", True, None)
    assert house(session) == {"cash:stripe": -54, "revenue": 45, "tax": 9}


@pytest.mark.parametrize("order_of_news", list(permutations(["completed", "paid", "paid", "completed_paid"]))[1::11])
def test_one_payment_counts_once_whatever_announces_it(session, payer, buys, tells, work, order_of_news):
    order = buys()

    for kind in order_of_news:
        tells(kind, order.id, amount=4_500)
        work()

    assert has(session, payer) == 500
    assert again(session, order).state == "paid"
    assert acts(session, "order.paid") == 1


def test_paying_twice_brings_them_twice_and_is_noted(session, payer, buys, tells, work):
    order = buys()

    for payment in ("pay_1", "pay_2"):
        tells("paid", order.id, amount=4_500, payment=payment)
    work()

    assert has(session, payer) == 1_000
    assert acts(session, "order.paid_twice") == 1


def test_a_payment_of_another_order_brings_nothing(session, payer, buys, tells, work):
    first, second = buys(), buys(form="g")
    tells("paid", first.id, amount=4_500)
    work()

    tells("paid", second.id, amount=4_500)
    work()

    assert has(session, payer) == 500
    assert (
        "already paid for order" in session.scalars(select(ProviderEvent.error).where(ProviderEvent.error != "")).one()
    )


def test_another_sum_brings_nothing_and_staff_see_it(session, payer, buys, tells, work):
    order = buys()

    tells("paid", order.id, amount=4_499)
    work()

    assert has(session, payer) == 0
    assert session.scalars(select(ProviderEvent)).one().state == "dead"


def test_a_slow_payment_brings_them_when_it_is_through(session, payer, buys, tells, work):
    order = buys()
    tells("completed", order.id)
    work()
    assert (again(session, order).state, has(session, payer)) == ("processing", 0)

    tells("paid", order.id, amount=4_500)
    work()

    assert has(session, payer) == 500


def test_a_failed_payment_says_why_and_frees_the_coupon(session, payer, buys, tells, work, coupon):
    made = coupon()
    order = buys(coupon="PACK20")
    assert used(session, made) == 1

    tells("failed", order.id, amount=3_600)
    work()

    assert (again(session, order).state, order.failure) == ("failed", "Your bank said no.")
    assert (has(session, payer), used(session, made)) == (0, 0)


def test_a_payment_for_an_expired_page_still_counts(session, payer, buys, tells, work, coupon):
    made = coupon()
    order = buys(coupon="PACK20")
    tells("expired", order.id)
    work()
    assert (again(session, order).state, used(session, made)) == ("expired", 0)

    tells("paid", order.id, amount=3_600)
    work()

    assert (again(session, order).state, has(session, payer), used(session, made)) == ("paid", 500, 1)


def test_a_lost_webhook_is_found_by_the_sweep(session, sessions, providers, fake, payer, buys, clock, work):
    order = buys()
    fake.heard["cs_1"] = heard(told("paid", order.id, amount=4_500, event_id="poll:cs_1:paid"))
    clock.advance(minutes=3)

    sweep.sweep(sessions, providers)
    work()

    assert has(session, payer) == 500


# What is bought is frozen.


def test_a_pack_that_changes_while_its_page_is_open_is_sold_as_it_was(session, payer, buys, tells, work):
    order = buys()
    with transaction(session):
        row = session.get_one(Pack, "medium")
        row.price_minor, row.credits, row.name = 9_900, 50, "50 credits"
        publish.apply(session, file.read("", currency="usd"), actor="cli")

    tells("paid", order.id, amount=4_500)
    work()

    assert has(session, payer) == 500


def test_another_price_than_was_shown_is_told_before_anybody_pays(session, fake, buys):
    with pytest.raises(PackChanged) as refused:
        buys(shown=Shown(4_000, 500))

    assert (refused.value.details["price_minor"], refused.value.details["credits"]) == (4_500, 500)
    assert session.scalars(select(Order)).all() == []
    assert fake.calls == []


def test_a_retired_pack_is_not_sold_and_an_unknown_one_is_not_there(session, buys):
    with transaction(session):
        publish.apply(session, file.read("", currency="usd"), actor="cli")

    with pytest.raises(PackNotForSale):
        buys()
    with pytest.raises(NotFound):
        buys("tiny")


def test_the_same_form_is_the_same_order_and_for_another_pack_it_is_refused(fake, buys):
    first, second = buys(), buys()

    assert first.id == second.id
    assert len(fake.pages) == 1
    with pytest.raises(IdempotencyKeyReused):
        buys("small")


def test_an_answer_that_was_lost_is_asked_for_again_with_the_same_content(session, fake, buys):
    fake.after = lambda verb: lost() if verb == "create_checkout" else None
    with pytest.raises(ProviderDown):
        buys()
    fake.after = lambda _verb: None
    with transaction(session):
        session.get_one(Pack, "medium").price_minor = 9_900

    assert buys().state == "open"
    assert len(fake.pages) == 1


def test_a_definite_no_is_followed_by_another_key(fake, buys):
    def no(verb):
        if verb == "create_checkout":
            raise InvalidRequest("No.", code="bad")

    fake.before = no
    with pytest.raises(ProviderDown):
        buys()
    fake.before = lambda _verb: None

    order = buys()

    assert (order.state, order.request["credits"], fake.calls[-1][1]) == ("open", 500, f"{order.id}:2")


def test_a_channel_that_cannot_is_told(session, payer):
    wish = Wish("medium", "f", "usr_1", "https://x.example/", "https://x.example/")

    with pytest.raises(UnsupportedByChannel):
        buy_pack.start(session, FakeProvider(caps=frozenset({Cap.EXPIRE_CHECKOUT})), payer, wish)


# Coupons.


@pytest.mark.parametrize(("kind", "value", "due"), [("percent", 20, 3_600), ("amount", 1_000, 3_500)])
def test_a_coupon_lowers_what_is_asked(session, fake, payer, buys, tells, work, coupon, kind, value, due):
    made = coupon(kind, value)

    order = buys(coupon=" pack20 ")
    tells("paid", order.id, amount=due)
    work()

    asked = fake.pages["cs_1"].request
    assert (asked.amount.minor, asked.title) == (due, "500 credits, with coupon PACK20")
    assert (has(session, payer), used(session, made), order.due_minor) == (500, 1, due)


def test_bonus_credits_are_promised_by_the_payment(session, payer, buys, tells, work, coupon):
    made = coupon("credits", 50)
    order = buys(coupon="PACK20")
    assert order.amount_minor == 4_500

    tells("paid", order.id, amount=4_500)
    work()

    assert used(session, made) == 1
    assert acts(session, "coupon.redeemed") == 1


def test_a_coupon_that_takes_off_everything_needs_no_payment(session, fake, payer, buys, coupon):
    made = coupon("percent", 100)

    order, twice = buys(coupon="PACK20"), buys(coupon="PACK20")

    assert (order.state, order.due_minor, twice.id) == ("paid", 0, order.id)
    assert (has(session, payer), used(session, made)) == (500, 1)
    assert fake.calls == []
    grant = session.scalars(select(credits.models.CreditGrant)).one()
    assert not grant.is_paid, "nothing was paid, so nothing can be paid back"
    assert session.scalars(select(Payment)).all() == []


def test_a_refused_code_opens_no_order(session, buys):
    with pytest.raises(coupons.CouponUnknown):
        buys(coupon="NOPE")

    assert session.scalars(select(Order)).all() == []


def test_coming_back_and_choosing_another_pack_takes_the_coupon_along(session, fake, buys, tells, work, coupon):
    made = coupon()
    first = buys(coupon="PACK20")

    second = buys("large", form="g", coupon="PACK20")

    assert fake.expired == ["cs_1"]
    assert (again(session, first).state, second.state, used(session, made)) == ("expired", "open", 1)


@pytest.fixture
def left(fake, buys, coupon):
    """A coupon, a page with it that was left at a provider which closes none, and another page with it."""
    made, fake.capabilities = coupon(), fake.capabilities - {Cap.EXPIRE_CHECKOUT}
    return made, buys(coupon="PACK20"), buys("large", form="g", coupon="PACK20")


def test_a_page_that_cannot_be_closed_lets_the_coupon_go(session, payer, left, tells, work):
    made, first, second = left
    assert (again(session, first).state, second.state, used(session, made)) == ("open", "open", 1)

    tells("paid", first.id, amount=3_600)
    work()

    assert (has(session, payer), used(session, made)) == (500, 1), "whoever pays first has it"


def test_paid_after_its_coupon_was_used_it_brings_what_it_paid_for(session, payer, left, tells, work):
    made, first, second = left
    tells("paid", second.id, amount=second.request["due_minor"])
    work()
    before = has(session, payer)

    for _ in range(2):
        tells("paid", first.id, amount=3_600, payment="pay_2")
        work()

    assert (has(session, payer) - before, used(session, made)) == (400, 1)
    assert (again(session, first).state, again(session, first).request["credits"]) == ("paid", 400)
    assert acts(session, "order.coupon_gone") == 1


def test_another_tab_without_a_coupon_stays_open(session, fake, buys, coupon):
    coupon()
    first = buys()

    buys("large", form="g", coupon="PACK20")

    assert again(session, first).state == "open"
    assert fake.expired == []
