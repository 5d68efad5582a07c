"""A chargeback from end to end: the sandbox's bank, Stripe's events, the adapter, the wallet (SPEC W5, V3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app import ledger
from app.db import transaction
from app.flows import top_up
from app.payments import disputes
from app.payments.dispute_table import Dispute
from app.sandbox.engine import disputes as banks
from app.wallet.accounts import wallet_of
from tests.support.card_paid import Cardholder


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def bank(cardholder: Cardholder) -> Callable[..., Dispute]:
    """What the bank does to a top-up of $50 that was paid, told and applied; the dispute as it is then."""
    who = cardholder
    order = top_up.start(
        who.session, who.stripe, who.customer, 5000, form_key="f", return_url="https://x.example/", actor="usr_1"
    )
    who.pays(order)
    who.hears()

    def does(verb: Callable[..., Any], **how: Any) -> Dispute:
        with who.sandbox.sandbox.writing() as tx:
            known = tx.every("dispute")
            verb(tx, known[0] if known else tx.every("charge", amount=5000)[0], **how)
        who.hears(seed=7)
        with transaction(who.session):
            [found] = disputes.of_payment(who.session, "stripe", str(order.payment_id or _paid(who)))
            who.session.refresh(found)
            who.session.expunge(found)
        return found

    return does


def _paid(who: Cardholder) -> str:
    with who.sandbox.sandbox.reading() as tx:
        return str(tx.every("charge", amount=5000)[0]["payment_intent"])


def wallet(who: Cardholder) -> tuple[int, bool]:
    with transaction(who.session):
        found = ledger.balance(who.session, wallet_of(who.customer_id))
    return found.balance // 10_000, found.frozen


def test_an_inquiry_that_becomes_a_chargeback_and_is_won(cardholder: Cardholder, bank: Callable[..., Dispute]) -> None:
    asked = bank(banks.begin, inquiry=True)
    assert (asked.phase, wallet(cardholder)) == ("inquiry", (5000, False))

    taken = bank(banks.escalate)
    assert (taken.phase, taken.fee_minor, wallet(cardholder)) == ("open", 1500, (0, True))
    assert taken.due_by is not None

    assert bank(banks.answer).evidence == "sent"
    assert (bank(banks.win).phase, wallet(cardholder)) == ("won", (5000, False))


def test_a_chargeback_that_is_lost(cardholder: Cardholder, bank: Callable[..., Dispute]) -> None:
    assert (bank(banks.begin).phase, wallet(cardholder)) == ("open", (0, True))
    assert (bank(banks.lose).phase, wallet(cardholder)) == ("lost", (0, False))
    with transaction(cardholder.session):
        house = {row.account: row.balance // 10_000 for row in ledger.trial_balance(cardholder.session) if row.house}
    assert (house["cash:stripe"], house["chargebacks:stripe"], house["losses"]) == (1500, 0, -1500)
