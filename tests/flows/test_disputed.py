"""Disputes: the money goes back at once, the wallet freezes, and ends right whatever order it is told in (SPEC W5)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app import credits, ledger
from app.customers.models import Customer
from app.db import transaction
from app.errors import Refusal, WalletFrozen
from app.flows import settle, top_up
from app.notices.models import Notice
from app.payments import Order, Payment, ProviderEvent, disputes
from app.payments.dispute_table import Dispute
from app.payments.returned import Returned, left_to_return, returned_minor
from app.providers.port import Provider
from app.wallet import adjust, auto_top_up, debit, frozen
from app.wallet.accounts import promotions, wallet_of
from tests.support.fake_provider import FakeProvider
from tests.support.fake_refunds import RefundProvider
from tests.support.payments import make_customer, wallet_minor
from tests.support.refunding import Wallet

Tells = Callable[..., bool]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What PostgreSQL could do differently, locks and constraints, is in the ledger's own tests."""
    return sqlite_url


@pytest.fixture
def work(sessions: sessionmaker[Session], providers: dict[str, Provider]) -> Callable[[], int]:
    """One worker, once."""
    return lambda: settle.apply_pending(sessions, providers)


@pytest.fixture
def order(session: Session, fake: FakeProvider, payer: Customer, tells: Tells, work: Callable[[], int]) -> Order:
    """A top-up of $50 that was paid."""
    bought = start(session, fake, payer)
    tells("paid", bought.id)
    work()
    return bought


@pytest.fixture
def says(order: Order, tells: Tells, work: Callable[[], int]) -> Callable[..., None]:
    """The provider says what became of the dispute, and it is applied."""

    def say(phase: str, **more: Any) -> None:
        tells("dispute", None, phase=phase, **more)
        work()

    return say


def start(session: Session, fake: FakeProvider, payer: Customer, minor: int = 5000, form: str = "form") -> Order:
    return top_up.start(session, fake, payer, minor, form_key=form, return_url="https://x.example/", actor="usr_1")


def spend(session: Session, customer_id: str, minor: int) -> None:
    with transaction(session):
        debit.debit(session, customer_id, minor * 10_000, description="Work", key=f"spend {minor}", by="key_1")


def is_frozen(session: Session, customer_id: str) -> bool:
    with transaction(session):
        return ledger.balance(session, wallet_of(customer_id)).frozen


def the_dispute(session: Session) -> Dispute:
    with transaction(session):
        return session.scalars(select(Dispute).execution_options(populate_existing=True)).one()


def house(session: Session) -> dict[str, int]:
    """The house's accounts that are not even, in cents."""
    with transaction(session):
        rows = ledger.trial_balance(session)
    found = {row.account: row.balance // 10_000 for row in rows if row.house and row.asset == "usd"}
    return {account: cents for account, cents in found.items() if cents}


def audit_faults(session: Session) -> list[str]:
    with transaction(session):
        return ledger.audit(session, full=True).faults


def test_a_disputed_top_up_is_taken_back_at_once_and_the_wallet_frozen(
    session: Session, order: Order, says: Any
) -> None:
    says("open", fee=1500, due=2_000_000_000)

    assert wallet_minor(session, order.customer_id) == 0
    assert is_frozen(session, order.customer_id)
    found = the_dispute(session)
    assert (found.phase, found.reversed_minor, found.own_loss_minor, found.fee_minor) == ("open", 5000, 0, 1500)
    assert (found.order_id, found.paid_for, found.evidence) == (order.id, "wallet", "none")
    assert house(session) == {"cash:stripe": -5000, "chargebacks:stripe": 5000}
    with pytest.raises(WalletFrozen):
        spend(session, order.customer_id, 1)


def test_what_is_spent_already_is_taken_too_and_is_owed(session: Session, order: Order, says: Any) -> None:
    spend(session, order.customer_id, 3000)

    says("open")

    assert wallet_minor(session, order.customer_id) == -3000
    assert is_frozen(session, order.customer_id)


def test_a_dispute_that_is_won_is_restored_exactly(session: Session, order: Order, says: Any) -> None:
    """Also what had been a gift, which the chargeback took last."""
    spend(session, order.customer_id, 5000)
    with transaction(session):
        gift = {wallet_of(order.customer_id): 7_000_000, promotions(): -7_000_000}
        ledger.post(session, "promo", gift, customer_id=order.customer_id, key="gift")
    before = ledger.balance(session, wallet_of(order.customer_id))

    says("open")
    says("won", fee=1500)

    after = ledger.balance(session, wallet_of(order.customer_id))
    assert (after.balance, after.promo, after.frozen) == (before.balance, before.promo, False)
    assert house(session)["losses"] == -1500
    assert "chargebacks:stripe" not in house(session)
    told = session.scalars(select(Notice.kind).order_by(Notice.at)).all()
    assert list(told) == ["payment_disputed", "dispute_won"]


def test_a_dispute_that_is_lost_stays_and_its_fee_is_our_own(session: Session, order: Order, says: Any) -> None:
    says("open", fee=1500)
    says("lost", fee=1500)

    assert wallet_minor(session, order.customer_id) == 0
    assert house(session) == {"cash:stripe": 1500, "losses": -1500}
    assert not is_frozen(session, order.customer_id), "nothing is owed"


def test_a_lost_hole_keeps_the_wallet_frozen_until_a_top_up_fills_it(
    session: Session, fake: FakeProvider, payer: Customer, order: Order, tells: Tells, work: Any, says: Any
) -> None:
    spend(session, order.customer_id, 4000)
    says("open")
    says("lost")
    assert is_frozen(session, order.customer_id)

    for number, minor in enumerate((1500, 3000)):
        more = start(session, fake, payer, minor, form=f"more {number}")
        tells("paid", more.id, payment=f"pay_more_{number}", amount=minor)
        work()
        assert is_frozen(session, order.customer_id) is (number == 0)

    assert wallet_minor(session, order.customer_id) == 500
    spend(session, order.customer_id, 500)


def test_a_top_up_does_not_thaw_while_the_case_is_open(
    session: Session, fake: FakeProvider, payer: Customer, order: Order, tells: Tells, work: Any, says: Any
) -> None:
    says("open")
    more = start(session, fake, payer, 2000, form="more")
    tells("paid", more.id, payment="pay_more", amount=2000)
    work()

    assert (wallet_minor(session, order.customer_id), is_frozen(session, order.customer_id)) == (2000, True)
    says("lost")
    assert not is_frozen(session, order.customer_id)


def test_staff_who_give_what_is_missing_thaw_it(session: Session, order: Order, says: Any) -> None:
    spend(session, order.customer_id, 4000)
    says("lost")
    with transaction(session):
        adjust.adjust(session, order.customer_id, 40_000_000, reason="Settled", actor="staff:usr_ann", key="given")

    assert (wallet_minor(session, order.customer_id), is_frozen(session, order.customer_id)) == (0, False)


def test_staff_thaw_by_hand_with_a_reason_and_it_stays_thawed(session: Session, order: Order, says: Any) -> None:
    says("open")
    found = the_dispute(session)
    with transaction(session):
        frozen.thaw(session, disputes.one(session, found.id), reason="They called", actor="staff:usr_ann")
    says("open", evidence="sent")

    assert not is_frozen(session, order.customer_id)
    assert the_dispute(session).evidence == "sent"


@pytest.mark.parametrize("end", ["lost", "won"])
def test_a_fee_that_changes_after_the_end_is_booked_again(session: Session, order: Order, says: Any, end: str) -> None:
    says("open", fee=1500)
    says(end, fee=1500)
    there = house(session)

    for fee in (2500, 2500, 0):
        says(end, fee=fee)
        now = house(session)
        assert now.get("losses", 0) == there["losses"] - fee + 1500
        assert now.get("cash:stripe", 0) == there["cash:stripe"] + fee - 1500
    assert not audit_faults(session)


@pytest.mark.parametrize("amount", [5000, 5050])
def test_a_lost_case_that_is_won_on_appeal_leaves_its_fee_alone(
    session: Session, order: Order, says: Any, amount: int
) -> None:
    for phase in ("open", "lost", "won"):
        says(phase, fee=1500, amount=amount)

    assert wallet_minor(session, order.customer_id) == 5000
    assert house(session) == {"cash:stripe": -3500, "losses": -1500}


def test_nothing_moves_for_an_inquiry(session: Session, order: Order, says: Any) -> None:
    says("inquiry")
    assert (wallet_minor(session, order.customer_id), is_frozen(session, order.customer_id)) == (5000, False)
    says("closed_inquiry")

    assert (wallet_minor(session, order.customer_id), is_frozen(session, order.customer_id)) == (5000, False)
    assert the_dispute(session).phase == "closed_inquiry"


def test_automatic_top_up_pauses(session: Session, order: Order, says: Any) -> None:
    rules = {"threshold_minor": 1000, "amount_minor": 2000, "ceiling_minor": 10000}
    with transaction(session):
        auto_top_up.switch_on(session, order.customer_id, currency="usd", actor="usr_1", **rules)

    says("open")

    row = auto_top_up.of(session, order.customer_id)
    assert row is not None
    assert (row.state, row.why) == ("paused", "frozen")


@pytest.mark.parametrize(("amount", "own_loss"), [(5050, 50), (2000, 0)])
def test_corpus_051_never_more_is_taken_than_was_credited(
    session: Session, order: Order, says: Any, amount: int, own_loss: int
) -> None:
    """Another currency's rate makes a dispute larger than its payment: the rest is our own loss, not an exception."""
    says("lost", amount=amount)

    found = the_dispute(session)
    assert (found.reversed_minor, found.own_loss_minor) == (amount - own_loss, own_loss)
    assert wallet_minor(session, order.customer_id) == 5000 - amount + own_loss
    assert house(session).get("losses", 0) == -own_loss


def test_tax_that_was_paid_on_top_is_not_taken_from_the_wallet(
    session: Session, fake: FakeProvider, payer: Customer, tells: Tells, work: Any
) -> None:
    taxed = start(session, fake, payer)
    tells("paid", taxed.id, tax=950)
    tells("dispute", None, phase="open", amount=5950)
    work()

    found = the_dispute(session)
    assert (found.reversed_minor, found.own_loss_minor) == (5000, 0)


def test_two_disputes_of_one_payment_take_it_once(session: Session, order: Order, says: Any) -> None:
    says("open", dispute="dp_1", amount=3000)
    says("open", dispute="dp_2", amount=3000)

    assert wallet_minor(session, order.customer_id) == 0
    assert returned_minor(session, "stripe", "pay_1") == Returned(refunded=0, disputed=5000)
    assert left_to_return(session, "stripe", "pay_1") == 0
    session.rollback()
    says("won", dispute="dp_1", amount=3000)
    assert (wallet_minor(session, order.customer_id), is_frozen(session, order.customer_id)) == (3000, True)


def test_a_dispute_of_a_payment_not_known_yet_waits_for_it(
    session: Session, fake: FakeProvider, payer: Customer, tells: Tells, work: Any, clock: Any
) -> None:
    bought = start(session, fake, payer)
    tells("dispute", None, phase="open", event_id="evt_early")
    work()
    event = session.scalars(select(ProviderEvent).where(ProviderEvent.event_id == "evt_early")).one()
    assert (event.state, event.error) == ("pending", "The payment pay_1 is not known here.")

    tells("paid", bought.id)
    work()
    clock.advance(minutes=1)
    work()

    assert (wallet_minor(session, bought.customer_id), is_frozen(session, bought.customer_id)) == (0, True)


@pytest.mark.parametrize("news", list(permutations(("refund", "open", "won"))))
def test_corpus_050_a_refund_and_a_dispute_of_one_payment_give_it_back_once(
    session: Session, sessions: sessionmaker[Session], payer: Customer, tells: Tells, news: tuple[str, ...]
) -> None:
    """The bank takes all $50, the provider pays back $20 besides, the case is won: the wallet is left with $30."""
    there = Wallet(session, RefundProvider(), payer.id, tells, sessions)
    there.tops_up(5000)
    for what in news:
        if what == "refund":
            there.fake.pays_back_unasked("pay_1", 2000, "re_there")
            there.hears(refund="re_there", amount=2000)
        else:
            tells("dispute", None, phase=what)
            there.works()

    assert (there.minor, is_frozen(session, payer.id)) == (3000, False)
    assert returned_minor(session, "stripe", "pay_1") == Returned(refunded=2000, disputed=0)
    assert house(session) == {"cash:stripe": -3000}


def test_what_the_bank_has_is_not_refunded_by_us_too(
    session: Session, sessions: sessionmaker[Session], payer: Customer, tells: Tells
) -> None:
    there = Wallet(session, RefundProvider(), payer.id, tells, sessions)
    there.tops_up(5000)
    tells("dispute", None, phase="open", amount=3000)
    there.works()

    with pytest.raises(Refusal):
        there.refunds(2000)

    assert there.minor == 2000


LIVES = {
    "won": (("inquiry", 0), ("funds_withdrawn", 1), ("funds_reinstated", 2), ("won", 2)),
    "lost": (("open", 0), ("funds_withdrawn", 0), ("open", 1), ("lost", 2)),
    "inquiry": (("inquiry", 0), ("inquiry", 1), ("closed_inquiry", 2)),
}


@pytest.mark.parametrize(
    ("life", "ends"), [("won", (5000, False)), ("lost", (-4000, True)), ("inquiry", (5000, False))]
)
def test_corpus_010_every_order_of_a_disputes_news_ends_the_same(
    session: Session, fake: FakeProvider, tells: Tells, work: Any, life: str, ends: tuple[int, bool]
) -> None:
    """Each once and each twice. Of the lost life $40 were spent, so a hole is left."""
    evidence = {0: "none", 1: "saved", 2: "sent"}
    seen = set()
    for number, arrival in enumerate(permutations(LIVES[life])):
        customer = make_customer(session)
        bought = start(session, fake, customer)
        tells("paid", bought.id, payment=f"pay_{number}")
        work()
        if life == "lost":
            spend(session, customer.id, 4000)
        for phase, at in arrival * (1 + number % 2):
            tells(
                "dispute", None, phase=phase, payment=f"pay_{number}", dispute=f"dp_{number}", at=1_800_000_000 + at,
                evidence=evidence[at], event_id=f"evt_{number}_{phase}_{at}",
            )  # fmt: skip
        work()
        with transaction(session):
            [found] = disputes.of_payment(session, "stripe", f"pay_{number}")
            seen.add((found.phase, found.evidence, found.opened_at, found.reversed_minor if life == "lost" else 0))
        assert (wallet_minor(session, customer.id), is_frozen(session, customer.id)) == ends
    assert len(seen) == 1, seen
    with transaction(session):
        assert ledger.audit(session, full=True).faults == []


def test_a_disputed_pack_takes_the_unspent_credits_and_not_the_wallet(
    session: Session, order: Order, says: Any
) -> None:
    """The order is made to be a pack's, whose payment is in no wallet."""
    with transaction(session):
        grant = credits.grant(
            session, order.customer_id, 500, source="pack", key="pack:stripe:pay_2", is_paid=True, actor="stripe"
        )
        order.kind = "pack"
        session.flush()
        _paid_again(session, order, "pay_2")
    says("open", payment="pay_2")

    assert credits.balance(session, order.customer_id).available == 0
    assert (wallet_minor(session, order.customer_id), is_frozen(session, order.customer_id)) == (5000, False)
    says("won", payment="pay_2")
    assert credits.balance(session, order.customer_id).available == 500
    assert grant.amount == 500


def _paid_again(session: Session, order: Order, payment_id: str) -> None:
    first = session.scalars(select(Payment)).one()
    facts = {column.name: getattr(first, column.name) for column in Payment.__table__.columns}
    session.add(Payment(**facts | {"payment_id": payment_id, "order_id": order.id}))
