"""Refunding a top-up: out of the wallet first, then asked for, then written down, never more than once (SPEC W4)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app import ledger
from app.customers.models import Customer
from app.db import transaction
from app.errors import IdempotencyKeyReused, InsufficientFunds, NotFound, Refusal, UnsupportedByChannel
from app.flows import refund, refund_top_up
from app.flows.refund_top_up import Wish
from app.payments import returned
from app.payments.models import Refund
from app.payments.refunds import MoreThanRefundable, NothingToRefund, NotRefundable, PaymentDisputed, WindowClosed
from app.providers.errors import AuthFailed, InvalidRequest, Unavailable
from app.providers.values import Cap
from app.wallet import adjust, auto_top_up, signup
from app.wallet.accounts import wallet_of
from tests.support.crashes import Crash, Doom
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
def fake() -> RefundProvider:
    return RefundProvider()


@pytest.fixture
def ada(session: Session, fake: RefundProvider, payer: Customer, tells: Tells, sessions: Any) -> Wallet:
    """Ada, whose top-up of $50 was paid."""
    there = Wallet(session, fake, payer.id, tells, sessions)
    there.tops_up(5000)
    return there


def test_the_unspent_part_goes_back_and_the_rest_stays_spent(ada: Wallet) -> None:
    ada.spends(1200)

    made = ada.refunds()

    assert (made.state, made.net_minor, made.amount_minor) == ("succeeded", 3800, 3800)
    assert (ada.minor, ada.fake.gone()) == (0, 3800)
    assert ada.books_are_right()
    assert ada.told() == ["refund_made"]


def test_a_part_goes_back_and_then_another(ada: Wallet) -> None:
    ada.refunds(2000, key="first")
    ada.refunds(1000, key="second")

    assert (ada.minor, ada.fake.gone()) == (2000, 3000)
    assert returned.returned_minor(ada.session, "stripe", "pay_1").refunded == 3000
    with pytest.raises(MoreThanRefundable) as refused:
        ada.refunds(2001, key="third")
    assert refused.value.details["refundable_minor"] == 2000


def test_spending_takes_the_oldest_top_up_first(ada: Wallet, clock: Clock) -> None:
    clock.advance(hours=1)
    ada.tops_up(2000, "pay_2")
    ada.spends(4000)

    newer, older = ada.refunds(payment="pay_2", key="newer"), ada.refunds(key="older")

    assert (newer.net_minor, older.net_minor, ada.minor) == (2000, 1000, 0)


def test_promotional_and_held_money_and_gifts_of_staff_do_not_go_back(ada: Wallet, clock: Clock) -> None:
    with transaction(ada.session):
        signup.give_credit(ada.session, ada.customer_id, "ada@example.com", 5_000_000)
        adjust.adjust(ada.session, ada.customer_id, 3_000_000, reason="Sorry", actor="usr_9", key="gift")
        until = clock.now + timedelta(hours=1)
        ledger.hold(ada.session, wallet_of(ada.customer_id), 10_000_000, key="h", expires_at=until)

    made = ada.refunds()

    # 58 in all: 5 are promotional, 10 are held, which may take them; 3 were given after what was paid.
    assert made.net_minor == 4500
    with transaction(ada.session):
        assert ledger.balance(ada.session, wallet_of(ada.customer_id)).promo == 5_000_000


def test_the_tax_goes_back_with_it_to_the_cent(session: Session, fake, payer, tells, sessions) -> None:
    ada = Wallet(session, fake, payer.id, tells, sessions)
    ada.tops_up(1000, tax=190)

    parts = [ada.refunds(minor, key=str(minor)) for minor in (333, 334, 1)]
    last = ada.refunds(key="last")

    assert sum(part.tax_minor for part in [*parts, last]) == 190
    assert (ada.minor, fake.gone()) == (0, 1190)


def _late(ada: Wallet, clock: Clock) -> None:
    clock.advance(days=7)


def _spent(ada: Wallet, _clock: Clock) -> None:
    ada.spends(5000)


def _back(ada: Wallet, _clock: Clock) -> None:
    ada.refunds(key="before")


def _full_only(ada: Wallet, _clock: Clock) -> None:
    ada.fake.capabilities = PAYS_BACK - {Cap.REFUND_PARTIAL}
    ada.spends(1)


def _not_at_all(ada: Wallet, _clock: Clock) -> None:
    ada.fake.capabilities = frozenset({Cap.CUSTOM_AMOUNT})


def _disputed(ada: Wallet, _clock: Clock) -> None:
    ada.tells("dispute", None, phase="inquiry")
    ada.works()


@pytest.mark.parametrize(
    ("happens", "refusal", "sentence"),
    [
        (_late, WindowClosed, "This top-up is more than seven days old. Ask us for your balance on the wallet page."),
        (
            _spent,
            NothingToRefund,
            "This top-up is spent or set aside for something that is under way, so nothing",
        ),
        (_back, NothingToRefund, "This top-up has gone back already, so nothing of it can be refunded."),
        (_full_only, UnsupportedByChannel, "Stripe can only pay back the whole $50.00, and $49.99 of it is left."),
        (_not_at_all, UnsupportedByChannel, "This payment cannot be refunded here. Write to us, and we find another"),
        (_disputed, PaymentDisputed, "This payment is disputed with the bank, so nothing of it can be refunded."),
    ],
)
def test_it_is_refused_with_a_sentence_and_nothing_moves(
    ada: Wallet, clock: Clock, happens: Callable[[Wallet, Clock], None], refusal: type[Refusal], sentence: str
) -> None:
    happens(ada, clock)
    before = (ada.minor, ada.fake.gone(), len(ada.states()))

    with pytest.raises(refusal) as refused:
        ada.refunds()

    assert refused.value.sentence.startswith(sentence)
    assert (ada.minor, ada.fake.gone(), len(ada.states())) == before


def test_a_second_before_the_window_ends_it_is_still_open_and_staff_have_none(ada: Wallet, clock: Clock) -> None:
    clock.advance(days=7, seconds=-1)
    ada.refunds(100, key="in time")
    clock.advance(days=100)

    assert ada.refunds(key="by staff", staff=True).net_minor == 4900


def test_only_top_ups_of_ones_own_are_refunded(ada: Wallet) -> None:
    ada.spends(100)
    with transaction(ada.session):
        spent = ledger.history(ada.session, wallet_of(ada.customer_id))[0].entry_id
    other = make_customer(ada.session, "Eve Ltd").id

    with pytest.raises(NotRefundable):
        refund_top_up.start(ada.session, {"stripe": ada.fake}, ada.customer_id, Wish(spent, "k", "usr_1", ""))
    with pytest.raises(NotFound):
        refund_top_up.start(ada.session, {"stripe": ada.fake}, other, Wish(ada.entry(), "k", "usr_1", ""))


def test_the_same_key_is_the_same_refund_and_another_payment_is_refused(ada: Wallet) -> None:
    ada.tops_up(2000, "pay_2")
    first = ada.refunds(1000)

    assert ada.refunds(1000).id == first.id
    assert ada.fake.gone() == 1000
    with pytest.raises(IdempotencyKeyReused):
        ada.refunds(1000, payment="pay_2")


def test_it_suspends_automatic_top_up(ada: Wallet) -> None:
    rules = {"threshold_minor": 1000, "amount_minor": 2000, "ceiling_minor": 20_000}
    with transaction(ada.session):
        auto_top_up.switch_on(ada.session, ada.customer_id, **rules, currency="usd", actor="usr_1")

    ada.refunds()

    with transaction(ada.session):
        row = auto_top_up.of(ada.session, ada.customer_id)
        assert row is not None
        assert (row.state, row.why) == ("paused", "refund")


@pytest.mark.parametrize("fault", [Unavailable("No answer."), AuthFailed("Wrong key.")])
def test_an_answer_that_is_lost_leaves_it_set_aside_and_a_worker_goes_on(
    ada: Wallet, clock: Clock, fault: Exception
) -> None:
    def fails(verb: str) -> None:
        raise fault

    ada.fake.after = fails
    assert ada.refunds().state == "reserved"
    assert (ada.minor, ada.goes_on()) == (0, 0)

    ada.fake.after = lambda _verb: None
    clock.advance(minutes=30)

    assert (ada.goes_on(), ada.goes_on()) == (1, 0)
    assert (ada.states(), ada.fake.gone(), ada.books_are_right()) == (["succeeded"], 5000, True)


def test_a_definite_no_puts_it_back_and_the_customer_is_told(ada: Wallet) -> None:
    def refuses(verb: str) -> None:
        raise InvalidRequest("No.", code="charge_expired_for_refund")

    ada.fake.before = refuses
    made = ada.refunds()

    assert (made.state, made.failure) == ("failed", "The payment provider refused it.")
    assert (ada.minor, ada.told()) == (5000, ["refund_failed"])
    ada.fake.before = lambda _verb: None
    assert ada.refunds(key="again").state == "succeeded"
    assert ada.books_are_right()


def test_it_survives_a_crash_between_any_two_steps(
    session: Session, engine: Engine, sessions, tells: Tells, clock: Clock
) -> None:
    crashes = 0
    for point in count():
        fake = RefundProvider()
        ada = Wallet(session, fake, make_customer(session).id, tells, sessions)
        ada.tops_up(5000, f"pay_{point}")
        wish = Wish(ada.entry(f"pay_{point}"), "k", "usr_1", "")
        crashed = False
        try:
            with Doom(point, fake).sessions(engine)() as doomed:
                refund_top_up.start(doomed, {"stripe": fake}, ada.customer_id, wish)
        except Crash:
            crashed, crashes = True, crashes + 1
        fake.before = fake.after = lambda _verb: None
        clock.advance(minutes=3)
        ada.goes_on()
        refund_top_up.start(session, {"stripe": fake}, ada.customer_id, wish)

        assert (ada.minor, fake.gone(f"pay_{point}")) == (0, 5000)
        assert ada.goes_on() == 0
        if not crashed:
            break

    assert crashes >= 8
    with transaction(session):
        assert not ledger.audit(session, full=True).faults


@pytest.mark.parametrize("done", [True, False])
def test_a_provider_without_keys_is_asked_what_it_did_before_it_is_asked_again(
    ada: Wallet, clock: Clock, done: bool
) -> None:
    ada.fake.capabilities, ada.fake.is_nameless = PAYS_BACK - {Cap.IDEMPOTENCY_KEYS}, True

    def lost(verb: str) -> None:
        raise Unavailable("No answer.")

    setattr(ada.fake, "after" if done else "before", lost)
    ada.refunds(2000)
    ada.fake.before = ada.fake.after = lambda _verb: None
    clock.advance(minutes=30)
    ada.goes_on()

    assert (ada.states(), ada.fake.gone(), ada.minor) == (["succeeded"], 2000, 3000)


def test_while_the_provider_is_not_set_up_it_waits(ada: Wallet, clock: Clock) -> None:
    ada.fake.after = lambda _verb: (_ for _ in ()).throw(Unavailable("No answer."))  # type: ignore[assignment]
    ada.refunds()
    clock.advance(minutes=30)

    refund.continue_due(ada.sessions, {})

    assert ada.states() == ["reserved"]


def test_what_is_refunded_cannot_be_spent(ada: Wallet) -> None:
    ada.fake.status = "pending"

    assert ada.refunds(4000).state == "sent"

    with pytest.raises(InsufficientFunds):
        ada.spends(1001)
    ada.hears(refund="re_pay_1_0", amount=4000, ours=ada_refund(ada))
    assert (ada.states(), ada.books_are_right()) == (["succeeded"], True)


def ada_refund(ada: Wallet) -> str:
    with transaction(ada.session):
        return ada.session.scalars(select(Refund.id)).one()


def test_one_that_is_on_its_way_is_asked_about_when_nobody_tells(ada: Wallet, clock: Clock) -> None:
    ada.fake.status = "pending"
    ada.refunds(4000)
    ada.fake.made["pay_1"] = [replace(each, status="succeeded") for each in ada.fake.made["pay_1"]]
    clock.advance(hours=1)
    ada.goes_on()

    assert ada.states() == ["succeeded"]


def test_twenty_at_once_give_back_what_was_paid_and_no_cent_more(ada: Wallet) -> None:
    def one(number: int) -> int:
        with ada.sessions() as own:
            wish = Wish(entry, f"k{number}", "usr_1", "", 400)
            try:
                return refund_top_up.start(own, {"stripe": ada.fake}, ada.customer_id, wish).amount_minor
            except (MoreThanRefundable, NothingToRefund):
                return 0

    entry = ada.entry()
    ada.session.rollback()
    with ThreadPoolExecutor(4) as pool:
        given = sum(pool.map(one, range(20)))

    assert (given, ada.fake.gone(), ada.minor) == (4800, 4800, 200)
    assert ada.books_are_right()
