"""Paying through Creem, from the form to the books: the real adapter, a stand-in on this machine, no browser."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import credits, ledger
from app.catalogue import file, publish
from app.db import transaction
from app.errors import ProviderDown, UnsupportedByChannel
from app.flows import cancel_plan, cards, reconcile, refund_top_up, subscribe
from app.flows.sold_by import NotSoldHere
from app.invoices import Invoice
from app.money import Money
from app.payments.refund_table import Refund
from app.providers import errors
from app.providers.values import CheckoutRequest, CustomerRef, PlanRef
from app.wallet.accounts import wallet_of
from tests.support.creem import OFFERS, Regular, creem_adapter
from tests.support.doubles.creem.server import RETRIES, Running
from tests.support.payments import again, wallet_minor


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


def wallet(regular: Regular) -> int:
    return wallet_minor(regular.session, regular.customer_id)


def invoices(regular: Regular) -> Sequence[Invoice]:
    """Oldest first."""
    with transaction(regular.session):
        mine = select(Invoice).where(Invoice.customer_id == regular.customer_id)
        found = regular.session.scalars(mine.execution_options(populate_existing=True))
        return sorted(found, key=lambda each: (each.created_at, each.provider_id or ""))


def is_on(regular: Regular, plan: str = "starter") -> None:
    regular.pays(regular.subscribes(plan))
    regular.hears()


class TestTopUp:
    @pytest.mark.parametrize("seed", [1])
    def test_it_is_credited_once_when_news_is_doubled_and_shuffled(self, regular: Regular, seed: int | None) -> None:
        regular.there.books.percent = 8
        order = regular.tops_up(5000)
        regular.pays(order)

        regular.hears(times=3, seed=seed)

        assert wallet(regular) == 5000
        assert again(regular.session, order).state == "paid"
        assert not regular.waiting

    def test_news_that_never_comes_is_asked_for(self, regular: Regular) -> None:
        regular.there.lost = True
        regular.pays(regular.tops_up(5000))
        regular.hears()

        regular.clock.advance(minutes=10)
        regular.sweeps()
        assert wallet(regular) == 5000

        regular.there.lost = False
        regular.clock.advance(hours=2)
        regular.hears()
        assert (wallet(regular), regular.waiting) == (5000, [])

    def test_a_page_that_creem_closed_ends(self, regular: Regular) -> None:
        order = regular.tops_up(5000)
        regular.there.books.expires(regular.page_of(order))

        regular.clock.advance(minutes=10)
        regular.sweeps()

        assert again(regular.session, order).state == "expired"

    def test_a_page_that_was_not_answered_is_asked_for_again(self, regular: Regular) -> None:
        regular.there.fails("POST", "/v1/checkouts", 0, done=True)
        with pytest.raises(ProviderDown):
            regular.tops_up(5000)

        regular.pays(regular.tops_up(5000))
        regular.hears()

        assert wallet(regular) == 5000

    @pytest.mark.parametrize("heard", [True, False], ids=["told", "asked for"])
    def test_a_code_typed_at_creem_is_no_mismatch_and_only_what_was_paid_is_credited(
        self, regular: Regular, heard: bool
    ) -> None:
        regular.there.books.percent = 8
        regular.there.lost = not heard
        order = regular.tops_up(5000)
        regular.pays(order, code=1000)

        regular.hears(times=2, seed=1)
        regular.clock.advance(minutes=10)
        regular.sweeps()

        assert (wallet(regular), again(regular.session, order).state, regular.waiting) == (4000, "paid", [])
        self.refunds_all(regular)
        assert wallet(regular) == 0

    @staticmethod
    def refunds_all(regular: Regular) -> None:
        TestRefund.asks(regular, None)
        regular.there.lost = False
        regular.hears(seed=2)

    def test_an_old_page_that_creem_does_not_close_is_credited_once_when_it_is_paid_late(
        self, regular: Regular
    ) -> None:
        old, new = regular.tops_up(5000), regular.tops_up(2000, form="form-2")
        regular.pays(new)
        regular.hears()
        regular.clock.advance(days=3)
        regular.sweeps()

        regular.pays(old)
        regular.hears(times=2, seed=1)
        regular.sweeps()

        assert (wallet(regular), again(regular.session, old).state, regular.waiting) == (7000, "paid", [])

    def test_something_else_that_names_our_order_credits_nothing(self, regular: Regular) -> None:
        order = regular.tops_up(5000)
        other = regular.there.books.product(5000, "once")
        regular.there.books.thing("checkouts", regular.page_of(order))["product"] = other
        regular.pays(order)

        regular.hears()

        assert wallet(regular) == 0
        assert [line for line in regular.waiting if line.startswith("checkout.completed dead")]


def test_news_is_tried_four_times_more_and_then_given_up(regular: Regular) -> None:
    regular.there.lost = True
    regular.pays(regular.tops_up(5000))
    for wait in (timedelta(0), *RETRIES, timedelta(days=1)):
        regular.clock.set(regular.clock.now + wait)
        regular.deliver()

    assert [(one.tries, one.ended) for one in regular.there.deliveries] == [(5, "given up")]


def test_a_pack_paid_with_a_code_of_creems_brings_all_its_credits(regular: Regular) -> None:
    regular.pays(regular.buys_pack(), code=400)

    regular.hears(times=2, seed=5)

    with transaction(regular.session):
        assert credits.balance(regular.session, regular.customer_id).available == 100
    assert not regular.waiting


def test_a_pack_brings_its_credits_once(regular: Regular) -> None:
    regular.pays(regular.buys_pack())

    regular.hears(times=2, seed=5)

    with transaction(regular.session):
        assert credits.balance(regular.session, regular.customer_id).available == 100


class TestRefund:
    def test_all_of_a_payment_goes_back_once(self, regular: Regular) -> None:
        regular.there.books.percent = 8
        paid = regular.pays(regular.tops_up(5000))
        regular.hears()

        made = self.asks(regular, None)
        regular.hears(times=2, seed=1)

        assert (wallet(regular), paid["refunded_amount"], paid["status"]) == (0, 5400, "refunded")
        with transaction(regular.session):
            assert regular.session.get_one(Refund, (regular.customer_id, made.id)).state == "succeeded"
        assert not regular.waiting

    def test_a_part_is_refused_and_the_money_stays(self, regular: Regular) -> None:
        paid = regular.pays(regular.tops_up(5000))
        regular.hears()

        with pytest.raises(UnsupportedByChannel):
            self.asks(regular, 2000)

        assert (wallet(regular), paid["refunded_amount"]) == (5000, 0)

    @pytest.mark.parametrize("parts", [(2000, 1000), (1000, 2000), (1500, 1500)])
    def test_parts_found_as_one_sum_are_the_same_when_each_is_told_late(
        self, regular: Regular, parts: tuple[int, int]
    ) -> None:
        paid = regular.pays(regular.tops_up(5000))
        regular.hears()
        regular.there.lost = True
        for part in parts:
            regular.there.books.refunds(paid["id"], part)
        regular.hears()
        reconcile.run(regular.sessions, regular.providers, "creem")
        assert wallet(regular) == 2000

        regular.there.books.refunds(paid["id"], 500)
        regular.there.lost = False
        regular.clock.advance(hours=2)
        regular.hears(times=2, seed=1)

        with transaction(regular.session):
            made = regular.session.execute(select(Refund.amount_minor, Refund.own_loss_minor, Refund.state)).all()
        assert sorted(map(tuple, made)) == sorted((part, 0, "succeeded") for part in (*parts, 500))
        assert (wallet(regular), regular.waiting) == (1500, [])

    def test_a_part_paid_back_in_creems_dashboard_is_followed(self, regular: Regular) -> None:
        paid = regular.pays(regular.tops_up(5000))
        regular.hears()

        regular.there.books.refunds(paid["id"], 1500)
        regular.hears(times=2, seed=2)

        assert (wallet(regular), regular.waiting) == (3500, [])

    def test_a_dispute_takes_the_money_back(self, regular: Regular) -> None:
        paid = regular.pays(regular.tops_up(5000))
        regular.hears()

        regular.there.books.disputes(paid["id"])
        regular.hears(times=2, seed=1)

        assert (wallet(regular), regular.waiting) == (0, [])

    @staticmethod
    def asks(regular: Regular, cents: int | None) -> Refund:
        with transaction(regular.session):
            [line] = ledger.history(regular.session, wallet_of(regular.customer_id))
        wish = refund_top_up.Wish(line.entry_id, "key-1", "usr_1", "Too much", net_minor=cents)
        return refund_top_up.start(regular.session, regular.providers, regular.customer_id, wish)


class TestSubscription:
    @pytest.mark.parametrize("seed", [1])
    def test_it_begins_once_whatever_comes_first(self, regular: Regular, seed: int | None) -> None:
        order = regular.subscribes()
        regular.pays(order)

        regular.hears(times=2, seed=seed)

        assert (regular.sub.status, regular.sub.price_minor, regular.sub.channel) == ("active", 1000, "creem")
        assert again(regular.session, order).state == "paid"
        assert [each.reason for each in invoices(regular)] == ["subscription_create"]
        assert not regular.waiting

    def test_it_begins_and_is_renewed_without_any_news(self, regular: Regular) -> None:
        regular.there.lost = True
        regular.pays(regular.subscribes())
        regular.clock.advance(minutes=10)
        regular.sweeps()
        assert regular.sub.status == "active"

        regular.passes(days=31)
        regular.clock.advance(hours=2)
        regular.sweeps()

        assert [each.reason for each in invoices(regular)] == ["subscription_create", "subscription_cycle"]

    def test_a_new_version_with_the_same_product_takes_nobody_along(self, regular: Regular) -> None:
        is_on(regular)
        dearer = OFFERS.replace('"10.00"', '"15.00"').format(**regular.products)
        with transaction(regular.session):
            publish.apply(regular.session, file.read(dearer, currency="usd"), actor="test")

        regular.passes(days=31)
        regular.hears()

        assert [each.reason for each in invoices(regular)] == ["subscription_create", "subscription_cycle"]
        assert (regular.sub.version, regular.sub.price_minor) == (1, 1000)

    def test_it_falls_behind_and_catches_up(self, regular: Regular) -> None:
        is_on(regular)
        regular.there.books.poor = True
        regular.passes(days=31)
        regular.hears()
        assert regular.sub.status == "past_due"

        regular.there.books.poor = False
        regular.passes(days=1)
        regular.hears(seed=3)

        assert (regular.sub.status, len(invoices(regular))) == ("active", 2)

    def test_an_upgrade_there_is_an_upgrade_here(self, regular: Regular) -> None:
        is_on(regular)
        regular.passes(days=10)
        state = regular.adapter.get_subscription(regular.sub.provider_id)
        to = PlanRef("growth", "month", Money(3000, "usd"), regular.products["growth"])
        regular.there.books.poor = True
        with pytest.raises(errors.Declined):
            regular.adapter.change_now(state, to, at=regular.clock.now, key="up")
        regular.there.books.poor = False

        for _ in range(2):
            regular.adapter.change_now(state, to, at=regular.clock.now, key="up")
        regular.hears(times=2, seed=1)

        assert regular.sub.price_minor == 3000
        assert [each.reason for each in invoices(regular)] == ["subscription_create", "subscription_update"]

    def test_it_is_cancelled_kept_after_all_and_ends_with_its_period(self, regular: Regular) -> None:
        is_on(regular)
        who = (regular.session, regular.providers, regular.customer_id)
        cancel_plan.at_period_end(*who, reason="unused", actor="usr_1")
        assert regular.sub.cancel_at_period_end
        cancel_plan.resume(*who, actor="usr_1")
        regular.hears(seed=1)
        assert not regular.sub.cancel_at_period_end

        cancel_plan.at_period_end(*who, reason=None, actor="usr_1")
        regular.passes(days=32)
        regular.hears(seed=2)

        assert (regular.sub.status, regular.sub.ended_at) == ("canceled", regular.sub.period_end)

    def test_it_ends_now_and_nothing_goes_back_for_no_part_can(self, regular: Regular) -> None:
        is_on(regular)
        regular.passes(days=15)
        who = (regular.session, regular.providers, regular.customer_id)

        assert cancel_plan.preview_now(*who) == (0, "nowhere")
        done = cancel_plan.now(*who, reason=None, actor="usr_1")
        regular.hears(times=2, seed=3)

        assert (done.state, regular.sub.status) == ("applied", "canceled")
        assert [each.credited_minor for each in invoices(regular)] == [0]

    def test_one_that_began_and_ended_before_it_was_heard_of_is_recorded_with_its_payments(
        self, regular: Regular
    ) -> None:
        order = regular.subscribes()
        paid = regular.pays(order)
        regular.passes(days=31)
        regular.there.books.cancels(paid["subscription"], {"mode": "immediate"})

        regular.hears(times=2, seed=1)

        assert (regular.sub.status, regular.sub.price_minor) == ("canceled", 1000)
        assert again(regular.session, order).state == "paid"
        assert [each.reason for each in invoices(regular)] == ["subscription_create", "subscription_cycle"]
        assert not regular.waiting
        regular.pays(regular.subscribes("growth"))
        regular.hears()
        assert (regular.sub.status, regular.sub.price_minor) == ("active", 3000)

    def test_an_old_page_for_a_plan_that_is_paid_late_is_ended_and_given_back(self, regular: Regular) -> None:
        old, new = regular.subscribes(), regular.subscribes("growth")
        regular.pays(new)
        regular.hears()

        late = regular.pays(old)
        regular.hears(times=2, seed=1)
        regular.clock.advance(hours=1)
        regular.sweeps()

        assert (regular.sub.price_minor, regular.sub.status) == (3000, "active")
        assert (late["status"], late["refunded_amount"]) == ("refunded", 1000)
        assert again(regular.session, old).state == "failed"
        assert "given back" in (again(regular.session, old).failure or "")
        assert not regular.waiting

    def test_its_portal_is_opened_for_the_subscription(self, regular: Regular) -> None:
        is_on(regular)

        url = cards.portal(regular.session, regular.adapter, regular.customer, return_url="https://purser.example/")

        assert url.startswith("https://creem.io/my-orders/login/")


@pytest.mark.parametrize("seed", [1])
def test_a_whole_life_ends_the_same_in_whatever_order_it_is_told(regular: Regular, seed: int | None) -> None:
    """A top-up, half paid back there, then disputed; a plan bought, renewed, upgraded, cancelled: heard of at last."""
    books = regular.there.books
    paid, plan = regular.pays(regular.tops_up(5000)), regular.pays(regular.subscribes())
    books.refunds(paid["id"], 2500)
    books.disputes(paid["id"])
    regular.passes(days=31)
    regular.passes(days=5)
    wanted = {"product_id": regular.products["growth"], "update_behavior": "proration-charge-immediately"}
    books.upgrades(plan["subscription"], wanted)
    regular.passes(days=5)
    books.cancels(plan["subscription"], {"mode": "scheduled"})

    for turn in range(3):  # some wait for what comes later, and are tried again
        regular.hears(times=2, seed=seed and seed + turn)
        regular.clock.advance(hours=1)

    assert not regular.waiting
    assert wallet(regular) == 0, "half was paid back, the bank took the rest"
    assert (regular.sub.status, regular.sub.price_minor, regular.sub.cancel_at_period_end) == ("active", 3000, True)


def test_a_plan_without_a_product_is_not_sold_and_staff_read_what_to_name(
    regular: Regular, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(NotSoldHere, match="Starter by the year"):
        regular.subscribes("starter", "year")

    assert "creem_product_id" in caplog.text
    assert "provider_ids.creem.yearly" in caplog.text
    assert not regular.there.books.things["checkouts"]


REFUSED: dict[str, Callable[..., object]] = {
    "cards": lambda who: cards.listed(who.session, who.adapter, who.customer_id),
    "a plan by a saved card": lambda who: subscribe.with_card(
        who.session, who.adapter, who.customer, "growth", "month", form_key="k", actor="usr_1"
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_creem_cannot_do_is_refused_by_name(regular: Regular, what: str) -> None:
    is_on(regular)

    with pytest.raises(UnsupportedByChannel):
        REFUSED[what](regular)


# The adapter by itself.


def test_without_a_product_no_amount_of_ones_choice_is_sold(creem: Running) -> None:
    plain = creem_adapter(creem, product_id="")

    assert "custom_amount" not in plain.capabilities
    plain.close()


@pytest.mark.parametrize(
    ("more", "ok", "words"),
    [
        ({}, True, "prod_Topup"),
        ({"product_id": ""}, True, "Without CREEM_PRODUCT_ID"),
        ({"product_id": "prod_gone"}, False, "no such product"),
        ({"api_key": "creem_test_of_somebody_else"}, False, "CREEM_API_KEY"),
    ],
)
def test_the_doctor_says_what_is_wrong_at_creem(creem: Running, more: dict[str, Any], ok: bool, words: str) -> None:
    adapter = creem_adapter(creem, **more)
    first, *_ = adapter.diagnose(webhook_url="https://purser.example/payment/webhook/creem")
    adapter.close()

    assert first.ok is ok
    assert words in first.sentence


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0, errors.Unavailable),
        (302, errors.Unavailable),
        (400, errors.InvalidRequest),
        (401, errors.AuthFailed),
        (402, errors.Declined),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (429, errors.RateLimited),
        (500, errors.Unavailable),
    ],
)
def test_every_answer_is_one_of_our_errors(creem: Running, creamed: Any, status: int, kind: Any) -> None:
    creem.fails("GET", "/v1/subscriptions", status)

    with pytest.raises(errors.ProviderError) as met:
        creamed.get_subscription("sub_1")

    assert type(met.value) is kind


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
def test_a_refund_that_was_not_answered_is_found_by_how_much_went_back(
    creem: Running, creamed: Any, done: bool
) -> None:
    wanted = CheckoutRequest(
        "ord_1", "topup", CustomerRef("cus_1", "cus_1"), "Top-up", "https://a/", "https://b/", Money(5000, "usd")
    )
    paid = creem.books.pays(creamed.create_checkout(wanted, key="k").id)
    creem.fails("POST", "/v1/refunds", 500, done=done)
    asked: dict[str, Any] = {"payment_id": paid["id"], "amount": Money(5000, "usd"), "our_refund_id": "ref_1"}
    with pytest.raises(errors.Unavailable):
        creamed.refund(reason="", key="k", **asked)

    assert [each.amount.minor for each in creamed.list_refunds(paid["id"])] == ([5000] if done else [])
