"""Switching between wallet and card at the period's end: no gap, no second charge (SPEC P10)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from app import ledger
from app.db import transaction
from app.errors import Conflict, ProviderDown
from app.flows import pay_by, renew, subscribe_from_wallet
from app.flows.pay_by import NoSavedCard
from app.subscriptions.models import Subscription
from app.wallet import adjust
from app.wallet.accounts import wallet_of
from tests.flows.test_renew import day
from tests.support.card_paid import FAILS, Cardholder
from tests.support.plans import Subscriber

Order = list[str]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing here is about locks, and each test talks to the sandbox over HTTP."""
    return sqlite_url


@pytest.fixture
def both(cardholder: Cardholder) -> Both:
    """Somebody with a card and $100 in the wallet."""
    return Both(cardholder)


class Both:
    """A customer who can pay either way."""

    def __init__(self, holder: Cardholder) -> None:
        self.holder = holder
        with transaction(holder.session):
            adjust.adjust(
                holder.session, holder.customer_id, 10_000 * 10_000, reason="Money for a test", actor="system",
                key=uuid.uuid4().hex,
            )  # fmt: skip

    def subscribes_from_wallet(self, plan: str = "starter") -> None:
        who = self.holder
        subscribe_from_wallet.start(who.session, who.customer, plan, "month", form_key="f", actor="usr_1")

    def pays_by(self, to: pay_by.Payment) -> Subscription:
        return pay_by.switch(self.holder.session, self.holder.providers, self.holder.customer_id, to, actor="usr_1")

    def goes_on(self, order: Order) -> None:
        """What the provider told is applied, and the worker works, in this order."""
        for who in order:
            if who == "news":
                self.holder.hears()
            else:
                self.works()

    def works(self) -> None:
        rounds = 0
        while renew.renew_due(self.holder.sessions, self.holder.providers):
            rounds += 1
            assert rounds < 50, "it never comes to an end"

    @property
    def sub(self) -> Subscription:
        found = self.holder.sub
        assert found is not None
        return found

    @property
    def cents(self) -> int:
        with transaction(self.holder.session):
            return ledger.balance(self.holder.session, wallet_of(self.holder.customer_id)).balance // 10_000

    def card_paid(self) -> int:
        """What the card was charged in all, in cents, at the provider."""
        with self.holder.sandbox.sandbox.reading() as tx:
            paid = [each for each in tx.every("payment_intent", limit=1000) if each["status"] == "succeeded"]
        return sum(each["amount_received"] for each in paid)


ORDERS = [["news", "worker"], ["worker", "news"]]


@pytest.mark.parametrize("order", ORDERS)
def test_the_card_takes_over_when_the_wallets_period_ends(both: Both, order: Order) -> None:
    both.subscribes_from_wallet()

    waiting = both.pays_by("card")
    then = (waiting.paid_by, waiting.pays_next_by)
    both.goes_on(order)
    before = (both.card_paid(), both.cents, both.sub.status)
    both.holder.passes(days=31)
    both.goes_on(order * 2)

    assert then == ("wallet", "card")
    assert before == (0, 9_000, "active")
    assert (both.sub.paid_by, both.sub.pays_next_by, both.sub.status) == ("card", None, "active")
    assert both.sub.period_end == day(2026, 5, 14)
    assert (both.card_paid(), both.cents) == (1_000, 9_000)
    both.holder.is_invoiced_without_a_gap()


def test_a_worker_that_comes_days_late_finds_the_card_in_charge(both: Both) -> None:
    both.subscribes_from_wallet()
    both.pays_by("card")

    both.holder.passes(days=40)
    both.goes_on(["worker", "news"])

    assert (both.card_paid(), both.cents) == (1_000, 9_000)
    both.holder.is_invoiced_without_a_gap()


def test_it_can_be_taken_back(both: Both) -> None:
    both.subscribes_from_wallet()
    both.pays_by("card")

    both.pays_by("wallet")
    both.holder.hears()
    both.holder.passes(days=31)
    both.goes_on(["news", "worker"])

    assert (both.sub.paid_by, both.sub.pays_next_by) == ("wallet", None)
    assert (both.card_paid(), both.cents) == (0, 8_000)
    both.holder.is_invoiced_without_a_gap()


@pytest.mark.parametrize("order", ORDERS)
def test_the_wallet_takes_over_when_the_cards_period_ends(both: Both, order: Order) -> None:
    both.holder.subscribes()
    both.holder.hears()

    waiting = both.pays_by("wallet")
    then = (waiting.paid_by, waiting.pays_next_by)
    both.holder.hears()
    before = both.holder.standing
    both.holder.passes(days=31)
    both.goes_on(order * 2)

    assert then == ("card", "wallet")
    assert before.ends_at is None, "the provider's end is not the subscription's"
    assert (both.sub.paid_by, both.sub.pays_next_by, both.sub.status) == ("wallet", None, "active")
    assert both.sub.period_end == day(2026, 5, 14)
    assert (both.card_paid(), both.cents) == (1_000, 9_000)
    both.holder.is_invoiced_without_a_gap()


def test_staying_with_the_card_after_all(both: Both) -> None:
    both.holder.subscribes()
    both.holder.hears()
    both.pays_by("wallet")
    both.holder.hears()

    both.pays_by("card")
    both.holder.passes(days=31)
    both.goes_on(["news", "worker"])

    assert (both.sub.paid_by, both.sub.pays_next_by) == ("card", None)
    assert (both.card_paid(), both.cents) == (2_000, 10_000)
    both.holder.is_invoiced_without_a_gap()


def test_an_upgrade_meanwhile_is_what_the_card_will_pay(both: Both) -> None:
    both.subscribes_from_wallet()
    both.pays_by("card")

    both.holder.changes_to("growth")  # in the same second: the whole difference
    both.holder.hears(seed=1)
    both.holder.passes(days=31)
    both.goes_on(["news", "worker"])

    assert (both.card_paid(), both.cents) == (3_000, 7_000)
    assert both.sub.price_minor == 3_000
    both.holder.is_invoiced_without_a_gap()


def test_a_downgrade_meanwhile_is_what_the_card_will_pay(both: Both) -> None:
    both.subscribes_from_wallet("growth")
    both.holder.changes_to("starter")
    both.pays_by("card")

    both.holder.passes(days=31)
    both.goes_on(["worker", "news"])

    assert (both.card_paid(), both.cents) == (1_000, 7_000)
    assert both.sub.price_minor == 1_000


def test_a_scheduled_downgrade_survives_the_way_to_the_wallet(both: Both) -> None:
    both.holder.subscribes("growth")
    both.holder.hears()
    both.holder.changes_to("starter")
    both.holder.hears()

    both.pays_by("wallet")
    both.holder.hears()
    both.holder.passes(days=31)
    both.goes_on(["news", "worker"])

    assert both.sub.price_minor == 1_000
    assert (both.card_paid(), both.cents) == (3_000, 9_000)


def test_cancelling_drops_what_waits_at_the_provider(both: Both) -> None:
    both.subscribes_from_wallet()
    both.pays_by("card")

    both.holder.cancels()
    both.holder.hears(seed=2)
    both.holder.passes(days=31)
    both.goes_on(["news", "worker"])

    assert both.sub.ended_at == day(2026, 4, 14)
    assert (both.card_paid(), both.cents) == (0, 9_000)


def test_cancelling_now_drops_it_too(both: Both) -> None:
    both.subscribes_from_wallet()
    both.pays_by("card")

    both.holder.cancels_now()
    both.holder.passes(days=31)
    both.goes_on(["news", "worker"])

    assert (both.card_paid(), both.cents) == (0, 10_000)


def test_nothing_is_cancelled_at_the_moment_in_which_the_card_takes_over(both: Both) -> None:
    both.subscribes_from_wallet()
    both.pays_by("card")

    both.holder.passes(days=31)  # the card is charged, and nothing has told us yet
    for cancel in (both.holder.cancels, both.holder.cancels_now):
        with pytest.raises(Conflict, match="renewed at this moment"):
            cancel()
    both.goes_on(["news", "worker"])

    assert (both.sub.paid_by, both.sub.status, both.card_paid()) == ("card", "active", 1_000)


@pytest.mark.parametrize("done", [True, False])
def test_no_answer_is_gone_on_with_by_the_worker(both: Both, done: bool) -> None:
    both.subscribes_from_wallet()
    both.holder.loses("start_subscription", done=done)

    with pytest.raises(ProviderDown):
        both.pays_by("card")
    both.holder.hears()
    both.holder.passes(minutes=3)
    both.works()
    both.holder.passes(days=31)
    both.goes_on(["news", "worker"])

    assert (both.sub.paid_by, both.card_paid(), both.cents) == ("card", 1_000, 9_000)
    with both.holder.sandbox.sandbox.reading() as tx:
        assert len(tx.every("subscription", limit=10)) == 1


def test_without_a_card_there_is_nothing_to_switch_to(subscriber: Subscriber, cardholder: Cardholder) -> None:
    subscriber.gets(5_000)
    subscriber.subscribes()

    with pytest.raises(NoSavedCard):
        pay_by.switch(subscriber.session, cardholder.providers, subscriber.customer_id, "card", actor="usr_1")


def test_what_pays_already_is_no_switch(both: Both) -> None:
    both.subscribes_from_wallet()

    assert both.pays_by("wallet").pays_next_by is None


def test_a_cancelled_subscription_has_nothing_to_switch(both: Both) -> None:
    both.subscribes_from_wallet()
    both.holder.cancels()

    with pytest.raises(Conflict, match="cancelled"):
        both.pays_by("card")


def test_a_card_that_fails_at_the_take_over_is_past_due_at_the_provider(both: Both) -> None:
    both.holder.saves_card(FAILS)
    both.subscribes_from_wallet()
    both.pays_by("card")

    both.holder.passes(days=31)
    both.goes_on(["news", "worker"])
    failed = (both.sub.paid_by, both.sub.status)
    both.holder.saves_card()
    both.goes_on(["news", "worker", "news"])

    assert failed == ("card", "past_due")
    assert (both.sub.status, both.card_paid(), both.cents) == ("active", 1_000, 9_000)
    assert timedelta() == both.sub.period_end - day(2026, 5, 14)
