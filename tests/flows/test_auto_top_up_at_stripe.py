"""Automatic top-up through the real adapter and the sandbox: charged, told of twice, to be confirmed by a person."""

from __future__ import annotations

import pytest

from app import ledger
from app.db import transaction
from app.flows import auto_top_up as flow
from app.wallet import auto_top_up
from app.wallet.accounts import wallet_of
from app.wallet.models import AutoTopUp
from tests.support.card_paid import ASKS, Cardholder


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_the_charge_and_its_news_credit_once(cardholder: Cardholder) -> None:
    row = works(cardholder)
    cardholder.hears(seed=7, times=2)

    assert (row.state, row.order_id, cents(cardholder)) == ("on", None, 2_000)


def test_news_without_an_answer_credits_as_well(cardholder: Cardholder) -> None:
    cardholder.loses("charge_saved_card")
    works(cardholder)
    assert cents(cardholder) == 0

    cardholder.hears()

    assert cents(cardholder) == 2_000
    cardholder.passes(minutes=31)
    works(cardholder)
    assert cents(cardholder) == 2_000, "nothing is asked for a second time"


def test_a_bank_that_wants_the_customer_in_person(cardholder: Cardholder) -> None:
    cardholder.saves_card(ASKS)

    row = works(cardholder)
    cardholder.hears()

    assert (row.state, row.why, cents(cardholder)) == ("paused", "confirm", 0)


def works(holder: Cardholder) -> AutoTopUp:
    """Switches it on where it is not, and lets the worker have its turn."""
    with transaction(holder.session):
        if auto_top_up.of(holder.session, holder.customer_id) is None:
            rules = {"threshold_minor": 1_000, "amount_minor": 2_000, "ceiling_minor": 20_000}
            auto_top_up.switch_on(holder.session, holder.customer_id, **rules, currency="usd", actor="usr_1")
    flow.top_up_due(holder.sessions, holder.providers, flow.Round(), base_url="http://localhost")
    holder.session.expire_all()
    with transaction(holder.session):
        return holder.session.get_one(AutoTopUp, holder.customer_id)


def cents(holder: Cardholder) -> int:
    with transaction(holder.session):
        return ledger.balance(holder.session, wallet_of(holder.customer_id)).balance // 10_000
