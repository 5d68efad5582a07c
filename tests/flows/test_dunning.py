"""A renewal that is not paid: the card, the retries, the grace period and the end (SPEC P10, P11, R4)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from app import ledger
from app.db import transaction
from app.flows import cancel_from_wallet, charge_card, dunning, renew, retry_payment, settle, top_up
from app.invoices import Invoice
from app.notices.models import Mail
from app.payments import Order, customers
from app.providers.errors import Unavailable
from app.providers.port import Provider
from app.providers.values import CustomerRef
from app.subscriptions import standing
from tests.flows.test_renew import day
from tests.support.crashes import Crash, Doom
from tests.support.fake_cards import CardProvider
from tests.support.payments import lost
from tests.support.plans import Subscriber
from tests.support.time import Clock

Works = Callable[[], int]
DUE = day(2026, 4, 14)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The locks are those of renewals, which are tested on both databases."""
    return sqlite_url


@pytest.fixture
def fake() -> CardProvider:
    return CardProvider()


@pytest.fixture
def broke(subscriber: Subscriber, clock: Clock) -> Subscriber:
    """Ada, whose wallet was emptied by the first period, on the day of the second."""
    subscriber.gets(500)
    subscriber.subscribes()
    clock.set(DUE)
    return subscriber


@pytest.fixture
def card(broke: Subscriber, fake: CardProvider) -> CustomerRef:
    """Her card, which the provider keeps."""
    ref = CustomerRef("pc_ada", broke.customer_id)
    with transaction(broke.session):
        customers.remember(broke.session, ref, fake.name)
    fake.saves(ref)
    return ref


def mails(session: Session) -> list[str]:
    with transaction(session):
        names = ("payment_failed", "access_restricted", "plan_ended_unpaid")
        return list(session.scalars(select(Mail.template).where(Mail.template.in_(names)).order_by(Mail.id)))


def owed(who: Subscriber) -> Invoice:
    return who.invoices[-1]


def test_without_a_card_it_is_past_due_and_keeps_access(broke: Subscriber, works: Works, session: Session) -> None:
    works()

    now = standing.of(session, broke.customer_id)
    assert (now.tier, now.status, now.grace_ends_at) == ("starter", "past_due", DUE + timedelta(days=7))
    assert owed(broke).status == "open"
    assert owed(broke).next_attempt_at == DUE + timedelta(days=2)
    assert mails(session) == ["payment_failed"]


def test_it_is_tried_on_days_2_7_14_and_21_and_then_it_ends(
    broke: Subscriber, works: Works, session: Session, clock: Clock
) -> None:
    tried, states = [], []
    for days in range(23):
        clock.set(DUE + timedelta(days=days))
        before = owed(broke).attempts
        works()
        if owed(broke).attempts > before or days == 0:
            tried.append(days)
        states.append(broke.sub.status)

    assert tried == [0, 2, 7, 14, 21]
    assert states == ["past_due"] * 7 + ["restricted"] * 14 + ["canceled"] * 2
    assert owed(broke).status == "void"
    assert broke.sub.ended_at == DUE + timedelta(days=21)
    assert standing.of(session, broke.customer_id).tier == "free"
    assert mails(session) == ["payment_failed", "access_restricted", "plan_ended_unpaid"]
    broke.is_invoiced_without_a_gap()


def test_a_worker_that_comes_days_late_tries_once_and_goes_on_from_there(
    broke: Subscriber, works: Works, clock: Clock
) -> None:
    works()
    clock.set(DUE + timedelta(days=10))

    works()

    assert owed(broke).attempts == 2
    assert owed(broke).next_attempt_at == DUE + timedelta(days=14)
    assert broke.sub.status == "restricted"


def test_money_in_the_wallet_pays_at_the_next_retry(broke: Subscriber, works: Works, clock: Clock) -> None:
    works()
    broke.gets(3_000)

    clock.set(DUE + timedelta(days=2))
    works()

    assert broke.sub.status == "active"
    assert broke.cents == 2_000
    assert broke.sub.period_end == day(2026, 5, 14)
    broke.is_invoiced_without_a_gap()


def test_a_top_up_pays_at_once_and_lifts_the_restriction(
    broke: Subscriber, works: Works, clock: Clock, session: Session
) -> None:
    works()
    clock.set(DUE + timedelta(days=8))
    works()
    restricted = broke.sub.status
    broke.gets(3_000)

    with transaction(session):
        dunning.lock(session, broke.customer_id)
        paid = dunning.wallet_filled(session, broke.customer_id)

    assert (restricted, paid, broke.sub.status) == ("restricted", True, "active")
    assert broke.cents == 2_000


def test_a_top_up_that_is_too_small_uses_no_retry_up(broke: Subscriber, works: Works, session: Session) -> None:
    works()
    broke.gets(900)

    with transaction(session):
        paid = dunning.wallet_filled(session, broke.customer_id)

    assert not paid
    assert owed(broke).attempts == 1


def test_a_saved_card_pays_what_the_wallet_cannot(
    broke: Subscriber, works: Works, card: CustomerRef, fake: CardProvider, session: Session
) -> None:
    works()

    assert broke.sub.status == "active"
    assert (owed(broke).status, owed(broke).paid_with) == ("paid", "Visa ending in 4242")
    assert [charge.amount.minor for charge in fake.charges] == [1_000]
    assert broke.cents == 0
    assert mails(session) == []


def test_a_frozen_wallet_pays_no_renewal_though_there_is_money_in_it(
    broke: Subscriber, works: Works, card: CustomerRef, fake: CardProvider, session: Session
) -> None:
    broke.gets(5_000)
    with transaction(session):
        ledger.freeze(session, broke.person.wallet)
    works()

    assert (broke.sub.status, owed(broke).status) == ("active", "paid")
    assert ([charge.amount.minor for charge in fake.charges], broke.cents) == ([1_000], 5_000)


def test_what_the_card_paid_is_in_the_books_and_not_in_the_wallet(
    broke: Subscriber, works: Works, card: CustomerRef, session: Session
) -> None:
    broke.gets(300)
    works()

    house = {row.account: row.balance // 10_000 for row in ledger.trial_balance(session) if row.house}
    assert (house["cash:stripe"], house["revenue"]) == (-1_000, 2_000)
    assert broke.cents == 300


def test_a_decline_is_past_due_and_the_card_is_tried_again(
    broke: Subscriber, works: Works, card: CustomerRef, fake: CardProvider, clock: Clock, session: Session
) -> None:
    fake.declines()
    works()
    failed = broke.sub.status

    clock.set(DUE + timedelta(days=2))
    works()

    assert (failed, broke.sub.status) == ("past_due", "active")
    assert len(fake.charges) == 2
    assert len({charge.key for charge in fake.charges}) == 2
    assert mails(session) == ["payment_failed"]


def test_a_hard_decline_stops_the_card_but_not_the_wallet(
    broke: Subscriber, works: Works, card: CustomerRef, fake: CardProvider, clock: Clock
) -> None:
    fake.declines(advice="never")
    works()
    clock.set(DUE + timedelta(days=2))
    works()
    charges = len(fake.charges)

    broke.gets(3_000)
    clock.set(DUE + timedelta(days=7))
    works()

    assert charges == 1
    assert broke.sub.status == "active"
    assert broke.cents == 2_000


def test_a_new_card_is_tried_at_once(
    broke: Subscriber, works: Works, card: CustomerRef, fake: CardProvider, clock: Clock, session: Session
) -> None:
    fake.declines(advice="new_card")
    works()
    clock.advance(hours=3)
    fake.saves(card, "card_2")

    with transaction(session):
        dunning.card_changed(session, broke.customer_id)
    works()

    assert broke.sub.status == "active"
    assert [charge.card_id for charge in fake.charges] == ["card_1", "card_2"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_no_answer_is_asked_for_again_under_the_same_key(
    broke: Subscriber, works: Works, card: CustomerRef, fake: CardProvider, clock: Clock, moment: str
) -> None:
    def fail(verb: str) -> None:
        if verb == "charge_saved_card":
            lost()

    setattr(fake, moment, fail)
    works()
    unknown = (broke.sub.status, owed(broke).status)
    fake.before = fake.after = lambda _verb: None
    clock.advance(minutes=3)
    works()

    assert unknown == ("active", "open")
    assert broke.sub.status == "active"
    assert owed(broke).status == "paid"
    assert len(fake.succeeded) == 1


def test_a_provider_that_is_away_is_asked_about_cards_later(
    broke: Subscriber, works: Works, card: CustomerRef, fake: CardProvider, clock: Clock
) -> None:
    def away(_verb: str) -> None:
        raise Unavailable("Away.")

    fake.before = away
    works()
    fake.before = lambda _verb: None
    clock.advance(minutes=6)
    works()

    assert (owed(broke).status, owed(broke).attempts) == ("paid", 0)


def test_the_event_that_comes_before_the_answer_is_written_down_pays_once(
    broke: Subscriber,
    works: Works,
    card: CustomerRef,
    fake: CardProvider,
    clock: Clock,
    tells: Callable[..., bool],
    sessions: sessionmaker[Session],
    providers: Mapping[str, Provider],
) -> None:
    fake.after = lambda verb: lost() if verb == "charge_saved_card" else None
    works()
    fake.after = lambda _verb: None
    [charge] = fake.charges

    tells("paid", charge.metadata["intent_id"], amount=1_000, payment="pi_1")
    settle.apply_pending(sessions, providers)
    paid = owed(broke).status
    clock.advance(minutes=3)
    works()

    assert paid == "paid"
    assert len(fake.charges) == 1
    assert broke.cents == 0


def test_money_that_comes_after_the_invoice_was_given_up_goes_to_the_wallet(
    broke: Subscriber,
    works: Works,
    card: CustomerRef,
    fake: CardProvider,
    clock: Clock,
    session: Session,
    tells: Callable[..., bool],
    sessions: sessionmaker[Session],
    providers: Mapping[str, Provider],
) -> None:
    fake.before = lambda verb: lost() if verb == "charge_saved_card" else None
    works()
    clock.advance(days=1)
    works()  # the key is not good any more: the next try is another charge
    with transaction(session):
        [order] = session.scalars(select(Order).where(Order.kind == charge_card.KIND))
    cancel_from_wallet.now(session, {}, broke.customer_id, reason=None, actor="usr_1")

    tells("paid", order.id, amount=1_000, payment="pi_late")
    settle.apply_pending(sessions, providers)

    assert owed(broke).status == "void"
    assert broke.cents == 1_000


def test_a_failed_payment_can_be_retried_by_hand(
    broke: Subscriber, works: Works, card: CustomerRef, fake: CardProvider, session: Session
) -> None:
    fake.declines(advice="never")
    fake.declines()
    works()

    declined = retry_payment.retry(session, {"stripe": fake}, broke.customer_id, actor="usr_1")
    paid = retry_payment.retry(session, {"stripe": fake}, broke.customer_id, actor="usr_1")
    nothing = retry_payment.retry(session, {"stripe": fake}, broke.customer_id, actor="usr_1")

    assert (declined.state, declined.reason) == ("failed", "Your card has insufficient funds.")
    assert (paid.state, broke.sub.status) == ("paid", "active")
    assert nothing.state == "nothing_due"
    assert len(fake.charges) == 3


def test_retrying_by_hand_moves_no_date(broke: Subscriber, works: Works, session: Session) -> None:
    works()
    before = owed(broke).next_attempt_at

    outcome = retry_payment.retry(session, {}, broke.customer_id, actor="usr_1")

    assert outcome.state == "failed"
    assert "Top up at least $10.00" in outcome.sentence
    assert owed(broke).next_attempt_at == before


@pytest.mark.parametrize("point", range(12))
def test_a_crash_at_any_point_charges_the_card_once(
    broke: Subscriber,
    works: Works,
    card: CustomerRef,
    fake: CardProvider,
    clock: Clock,
    engine: Engine,
    providers: Mapping[str, Provider],
    point: int,
) -> None:
    doom = Doom(point, fake)
    with contextlib.suppress(Crash):
        renew.renew_due(doom.sessions(engine), providers)
    fake.before = fake.after = lambda _verb: None
    clock.advance(minutes=3)
    works()

    assert (broke.sub.status, owed(broke).status) == ("active", "paid")
    assert len(fake.succeeded) == 1
    assert len(broke.invoices) == 2


def test_a_top_up_by_event_pays_what_waits_for_it(
    broke: Subscriber,
    works: Works,
    fake: CardProvider,
    session: Session,
    tells: Callable[..., bool],
    sessions: sessionmaker[Session],
    providers: Mapping[str, Provider],
) -> None:
    works()
    order = top_up.start(
        session, fake, broke.customer, 5_000, form_key="f", return_url="https://x.example/", actor="usr_1"
    )

    tells("paid", order.id, amount=5_000)
    settle.apply_pending(sessions, providers)

    assert (broke.sub.status, owed(broke).status, broke.cents) == ("active", "paid", 4_000)
