"""Paying an invoice from the wallet, and giving back what of it is not used (SPEC P7, P8, P10, W1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from sqlalchemy.orm import Session

from app import ledger
from app.db import transaction
from app.errors import InsufficientFunds
from app.wallet.accounts import revenue, tax
from app.wallet.pay_invoice import paid_by_card, pay_invoice
from app.wallet.return_unused import return_unused
from tests.support.people import Person

CENT = 10_000


@dataclass(frozen=True)
class Bill:
    """As much of an invoice as the wallet looks at: $99.00 and 19 % tax."""

    customer_id: str
    id: str = "inv_1"
    number: str | None = "INV-2026-000001"
    currency: str = "usd"
    tax_minor: int = 1_881
    total_minor: int = 11_781
    credited_minor: int = 0
    payment_id: str | None = None


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The postings are the ledger's, which has its own tests on both databases."""
    return sqlite_url


@pytest.fixture
def bill(ada: Person) -> Bill:
    return Bill(ada.customer_id)


def pay(session: Session, bill: Bill) -> Bill:
    with transaction(session):
        return replace(bill, payment_id=pay_invoice(session, bill, description="Growth").id)


def give_back(session: Session, bill: Bill, net: int, taxes: int, key: str = "credit_note:cn_1") -> Bill:
    with transaction(session):
        return_unused(
            session,
            bill,
            net_minor=net,
            tax_minor=taxes,
            before_minor=bill.credited_minor,
            key=key,
            description="Unused time",
        )
    return replace(bill, credited_minor=bill.credited_minor + net + taxes)


def parts(ada: Person) -> tuple[int, int]:
    """The wallet's promotional and paid money, in cents."""
    ada.session.rollback()
    stands = ledger.balance(ada.session, ada.wallet)
    return stands.promo // CENT, stands.paid // CENT


def test_it_takes_the_total_and_sets_the_tax_aside(session: Session, ada: Person, bill: Bill) -> None:
    ada.gets(20_000)  # beside $5.00 of welcome credit

    paid = pay(session, bill)

    entry = ledger.entry(session, ada.customer_id, paid.payment_id or "")
    assert entry is not None
    assert entry.leg(revenue()).amount == 9_900 * CENT
    assert entry.leg(tax()).amount == 1_881 * CENT
    assert parts(ada) == (0, 25_00 + 200_00 - 20_00 - 117_81)


def test_it_takes_it_once(session: Session, ada: Person, bill: Bill) -> None:
    ada.gets(20_000)
    pay(session, bill)
    before = ada.balance()

    pay(session, bill)

    assert ada.balance() == before


def test_it_says_what_is_missing_and_what_to_do(session: Session, ada: Person, bill: Bill) -> None:
    with pytest.raises(InsufficientFunds) as short, transaction(session):
        pay_invoice(session, bill, description="Growth")

    assert short.value.details["available_micros"] == 500 * CENT
    assert short.value.details["needed_micros"] == 11_781 * CENT
    assert short.value.details["missing_minor"] == 11_281
    assert "Top up at least $112.81" in short.value.sentence
    assert parts(ada) == (500, 0)


def test_what_comes_back_is_paid_money_first_and_the_gift_last(session: Session, ada: Person, bill: Bill) -> None:
    ada.gets(20_000)
    paid = pay(session, bill)
    before = parts(ada)

    half = give_back(session, paid, 4_950, 941)
    after_half = parts(ada)
    give_back(session, half, 4_950, 940, key="credit_note:cn_2")

    assert before == (0, 8_719)
    assert after_half == (0, 8_719 + 5_891)
    assert parts(ada) == (500, 20_000)
    assert ledger.totals(session, ada.wallet)["subscription_return_promo"][1] == 500 * CENT


def test_what_comes_back_leaves_revenue_and_tax(session: Session, ada: Person, bill: Bill) -> None:
    ada.gets(20_000)
    paid = pay(session, bill)

    give_back(session, paid, 9_900, 1_881)

    sums = {row.account: row.balance for row in ledger.trial_balance(session) if row.account in ("revenue", "tax")}
    assert all(amount == 0 for amount in sums.values())


def test_it_comes_back_once(session: Session, ada: Person, bill: Bill) -> None:
    ada.gets(20_000)
    paid = pay(session, bill)
    give_back(session, paid, 4_950, 941)
    before = parts(ada)

    give_back(session, paid, 4_950, 941)

    assert parts(ada) == before


def test_never_more_than_was_paid(session: Session, ada: Person, bill: Bill) -> None:
    ada.gets(20_000)
    paid = pay(session, bill)
    half = give_back(session, paid, 4_950, 941)

    with pytest.raises(AssertionError, match="never more"):
        give_back(session, half, 9_900, 1_881, key="credit_note:cn_2")


def test_what_a_card_paid_is_booked_beside_the_wallet(session: Session, ada: Person, bill: Bill) -> None:
    with transaction(session):
        paid_by_card(session, bill, channel="stripe", payment_id="pi_1")
        paid_by_card(session, bill, channel="stripe", payment_id="pi_1")

    sums = {row.account: row.balance // CENT for row in ledger.trial_balance(session) if row.house}
    assert (sums["cash:stripe"], sums["revenue"], sums["tax"]) == (-11_781, 9_900, 1_881)
    assert parts(ada) == (500, 0)


def test_what_a_card_paid_comes_back_as_paid_money(session: Session, ada: Person, bill: Bill) -> None:
    with transaction(session):
        paid_by_card(session, bill, channel="stripe", payment_id="pi_1")

    give_back(session, replace(bill, payment_id="pi_1"), 4_950, 941)

    assert parts(ada) == (500, 5_891)
