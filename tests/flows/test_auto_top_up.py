"""Automatic top-up: once for each gap, within what was allowed, and never by itself after it was ended (SPEC W6)."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from app import ledger
from app.db import transaction
from app.errors import Invalid
from app.flows import auto_top_up as flow
from app.flows import auto_top_up_outcome as outcome
from app.flows import settle
from app.notices.models import Mail, Notice
from app.payments import customers, inbox, orders
from app.payments.models import Order
from app.providers.errors import Unavailable
from app.providers.values import CustomerRef
from app.wallet import auto_top_up, debit, kinds
from app.wallet.models import AutoTopUp
from tests.support.crashes import Crash, Doom
from tests.support.fake_cards import CardProvider
from tests.support.fake_provider import heard, told
from tests.support.people import Person
from tests.support.time import Clock

REF = "pc_ada"


@dataclass
class Saver:
    """Ada, whose card is known to the provider, and what the worker does for her."""

    session: Session
    engine: Engine
    ada: Person
    provider: CardProvider

    def allows(self, threshold: int = 1_000, amount: int = 2_000, ceiling: int = 20_000) -> AutoTopUp:
        rules = {"threshold_minor": threshold, "amount_minor": amount, "ceiling_minor": ceiling}
        with transaction(self.session):
            return auto_top_up.switch_on(self.session, self.ada.customer_id, **rules, currency="usd", actor=self.ada.id)

    def works(self, sessions: Any = None) -> int:
        self.session.rollback()  # what the test itself was reading
        made = sessions or sessionmaker(self.engine, expire_on_commit=False)
        return flow.top_up_due(made, {"stripe": self.provider}, flow.Round(), base_url="http://localhost")

    def spends(self, cents: int) -> None:
        with transaction(self.session):
            how = {"description": "Work", "key": uuid.uuid4().hex, "by": "system"}
            debit.debit(self.session, self.ada.customer_id, cents * 10_000, **how)

    def hears(self, kind: str, order: Order, payment: str = "pi_1", **more: Any) -> None:
        said = told(kind, order.id, payment=payment, amount=order.amount_minor, customer=REF, **more)
        with transaction(self.session):
            event = heard(said)
            inbox.keep(self.session, provider="stripe", verified=event.verified, body=event.body, headers={})
        settle.apply_pending(sessionmaker(self.engine, expire_on_commit=False), {"stripe": self.provider})

    @property
    def row(self) -> AutoTopUp:
        self.session.rollback()
        self.session.expire_all()
        return self.session.get_one(AutoTopUp, self.ada.customer_id)

    @property
    def cents(self) -> int:
        return self.ada.balance() // 10_000

    @property
    def charged(self) -> list[int]:
        return [charge.amount.minor for charge in self.provider.succeeded]

    @property
    def told(self) -> list[str]:
        self.session.rollback()
        return list(self.session.scalars(select(Notice.kind).order_by(Notice.at, Notice.id)))

    @property
    def order(self) -> Order:
        self.session.rollback()
        self.session.expire_all()
        mine = select(Order).where(Order.kind == auto_top_up.KIND).order_by(Order.created_at.desc(), Order.id.desc())
        return self.session.scalars(mine.limit(1)).one()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def saver(session: Session, engine: Engine, ada: Person) -> Saver:
    return _saver(session, engine, ada)


def _saver(session: Session, engine: Engine, ada: Person) -> Saver:
    provider = CardProvider()
    known = CustomerRef(REF, ada.customer_id)
    provider.customers[REF] = known
    provider.saves(known)
    with transaction(session):
        customers.remember(session, known, "stripe")
    return Saver(session, engine, ada, provider)


def test_nothing_is_charged_until_it_is_switched_on(saver: Saver) -> None:
    assert saver.works() == 0

    assert saver.charged == []


def test_one_charge_closes_the_gap(saver: Saver) -> None:
    saver.allows(threshold=5_000, amount=2_000)

    saver.works()

    assert saver.charged == [6_000], "from $5.00 above $50.00 in steps of $20.00"
    assert (saver.cents, saver.works()) == (6_500, 0)
    assert saver.provider.charges[0].metadata == {"intent_id": saver.order.id, "kind": "auto_topup"}
    assert saver.provider.charges[0].key == saver.order.id
    assert saver.told == ["auto_topup_charged"]


def test_what_is_held_is_not_available(saver: Saver, clock: Clock) -> None:
    saver.allows(threshold=300)
    assert saver.works() == 0

    with transaction(saver.session):
        expires = clock.now.replace(year=2027)
        ledger.hold(saver.session, saver.ada.wallet, 2_000_000, key="job", expires_at=expires)

    assert (saver.works(), saver.charged) == (1, [2_000])


def test_the_answer_and_the_event_credit_once(saver: Saver) -> None:
    saver.allows()
    saver.works()

    saver.hears("paid", saver.order)
    saver.hears("paid", saver.order, event_id="evt_another")

    assert saver.cents == 2_500
    with transaction(saver.session):
        entries = ledger.history(saver.session, saver.ada.wallet, kinds=kinds.of_type("topup"))
    assert [line.data["description"] for line in entries] == ["Automatic top-up"]


def test_it_waits_half_an_hour_between_two_charges(saver: Saver, clock: Clock) -> None:
    saver.allows()
    saver.works()
    saver.spends(2_400)

    assert saver.works() == 0
    saver.allows()
    assert saver.works() == 0, "switching it on again does not end the pause"
    clock.advance(minutes=30)

    assert (saver.works(), saver.charged) == (1, [2_000, 2_000])


def test_it_never_charges_more_than_the_ceiling_in_a_month(saver: Saver, clock: Clock) -> None:
    saver.allows(threshold=5_000, amount=2_000, ceiling=5_000)
    saver.works()
    assert saver.charged == [4_000], "three steps would be needed, and two are allowed"
    saver.spends(4_500)
    for _ in range(3):
        clock.advance(minutes=30)
        saver.works()

    assert saver.charged == [4_000]
    assert saver.told == ["auto_topup_charged", "auto_topup_ceiling"]

    clock.set(clock.now.replace(month=4, day=1, hour=0, minute=0, second=0))
    saver.works()
    assert saver.charged == [4_000, 4_000]


def test_a_decline_waits_an_hour_and_three_switch_it_off(saver: Saver, clock: Clock) -> None:
    saver.allows()
    for _ in range(3):
        saver.provider.declines()
        assert saver.works() == 1
        assert saver.works() == 0
        clock.advance(minutes=59)
        assert saver.works() == 0
        clock.advance(minutes=1)
    clock.advance(days=40)

    assert saver.works() == 0
    assert (len(saver.provider.charges), saver.charged) == (3, [])
    assert (saver.row.state, saver.row.why) == ("off", "declined")
    assert saver.told == ["topup_declined", "topup_declined", "auto_topup_off"]
    mails = saver.session.scalars(select(Mail.subject).where(Mail.template == "notice")).all()
    assert "Automatic top-up is switched off" in mails


def test_a_card_that_must_not_be_tried_again_ends_it_at_once(saver: Saver) -> None:
    saver.allows()
    saver.provider.declines(advice="never")

    saver.works()

    assert (saver.row.state, saver.row.why) == ("off", "declined_for_good")


def test_a_bank_that_wants_a_person_gets_no_blind_retry(saver: Saver, clock: Clock) -> None:
    saver.allows()
    saver.provider.asks_for_a_person()

    saver.works()
    clock.advance(days=1)

    assert saver.works() == 0
    assert (saver.row.state, saver.row.why) == ("paused", "confirm")
    body = saver.session.scalars(select(Mail.body).where(Mail.subject.contains("confirm"))).all()[-1]
    assert "http://localhost/wallet" in body


def test_without_a_card_it_is_paused(saver: Saver) -> None:
    saver.allows()
    saver.provider.cards.clear()

    saver.works()

    assert (saver.row.state, saver.row.why, saver.told) == ("paused", "no_card", ["auto_topup_paused"])


@pytest.mark.parametrize("why", ["refund", "frozen"])
def test_a_refund_or_a_frozen_wallet_suspends_it(saver: Saver, why: str, clock: Clock) -> None:
    saver.allows()
    with transaction(saver.session):
        outcome.suspend(saver.session, saver.ada.customer_id, why, key="re_1")
        outcome.suspend(saver.session, saver.ada.customer_id, why, key="re_1")
    clock.advance(days=1)

    assert (saver.works(), saver.told) == (0, ["auto_topup_paused"])


def test_buying_something_never_switches_it_on(saver: Saver, clock: Clock) -> None:
    saver.allows()
    with transaction(saver.session):
        auto_top_up.switch_off(saver.session, saver.ada.customer_id, actor=saver.ada.id)
    order = _by_hand(saver)
    saver.hears("paid", order, payment="pay_by_hand")
    saver.spends(5_400)
    clock.advance(days=1)

    assert (saver.works(), saver.row.state) == (0, "off")


def test_it_leaves_alone_who_is_paying_by_hand(saver: Saver, clock: Clock) -> None:
    saver.allows()
    _by_hand(saver)
    assert saver.works() == 0

    clock.advance(minutes=31)
    assert saver.works() == 1, "the page was left"


def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_key(saver: Saver, clock: Clock) -> None:
    saver.allows()
    saver.provider.after = _lost
    saver.works()
    assert saver.works() == 0, "it is leased"
    saver.provider.after = lambda _verb: None
    with transaction(saver.session):
        auto_top_up.switch_off(saver.session, saver.ada.customer_id, actor=saver.ada.id)
    clock.advance(minutes=2)

    saver.works()

    assert (saver.charged, saver.cents, saver.row.order_id) == ([2_000], 2_500, None)


def test_it_refuses_rules_nobody_could_mean(saver: Saver) -> None:
    for wrong in ({"amount": 999}, {"amount": 1_000_001}, {"ceiling": 1_999}, {"threshold": -1}):
        with pytest.raises(Invalid):
            saver.allows(**wrong)


def test_a_crash_anywhere_charges_and_credits_once(saver: Saver, clock: Clock) -> None:
    saver.allows(ceiling=10_000_000)
    for point in range(40):
        before = len(saver.charged)
        doom = Doom(point, saver.provider)
        with suppress(Crash):
            saver.works(doom.sessions(saver.engine))
        crashed = doom.passed > point
        saver.provider.before = saver.provider.after = lambda _verb="": None
        clock.advance(minutes=2)
        saver.works()
        assert (len(saver.charged), saver.cents) == (before + 1, 2_500), f"a crash at step {point}"
        if not crashed:
            break
        saver.spends(2_000)
        clock.advance(minutes=30)
    assert point > 8, "the work has that many steps at least"


class TestTwoWorkers:
    """On both databases: this is about locks."""

    @pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
    def database_url(self, request: pytest.FixtureRequest) -> str:
        return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "pg_url")

    def test_they_charge_once(self, session: Session, engine: Engine, ada: Person) -> None:
        saver = _saver(session, engine, ada)
        saver.allows()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: saver.works(), range(8)))

        assert (saver.charged, saver.cents) == ([2_000], 2_500)


def _by_hand(saver: Saver) -> Order:
    with transaction(saver.session):
        return orders.open_order(
            saver.session,
            customer_id=saver.ada.customer_id,
            amount_minor=5_000,
            currency="usd",
            channel="stripe",
            form_key="by-hand",
            created_by=saver.ada.id,
        )


def _lost(verb: str) -> None:
    if verb == "charge_saved_card":
        raise Unavailable("no answer")
