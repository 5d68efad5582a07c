"""What is left of a paid period: who leaves at once has paid nothing, whatever they changed before (SPEC P6, P8)."""

from __future__ import annotations

import pytest

from app.coupons import issue
from app.coupons.terms import Limits, Terms
from app.db import transaction
from app.flows import cancel_from_wallet
from tests.flows.test_change_from_wallet import change, look
from tests.flows.test_renew import day
from tests.support.plans import Subscriber
from tests.support.time import Clock


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def rich(subscriber: Subscriber) -> Subscriber:
    """$1,000 in the wallet, and a coupon HALF that takes half off the first invoice."""
    subscriber.gets(99_500)
    with transaction(subscriber.session):
        issue.make(subscriber.session, Terms("HALF", "percent", 50, Limits("Half")), actor="test")
    return subscriber


def leaves(who: Subscriber) -> None:
    cancel_from_wallet.now(who.session, {}, who.customer_id, reason=None, actor="usr_1")


def test_the_months_rest_counts_on_in_the_year_begun_within_it(rich: Subscriber, clock: Clock) -> None:
    rich.subscribes()
    change(rich, "starter", "year")
    clock.advance(minutes=1)  # of a year, this costs nothing

    shown = look(rich, "growth", "year")
    leaves(rich)

    assert (shown.charge_minor, shown.credit_minor) == (30_000, 10_000)
    assert rich.cents == 100_000
    assert [invoice.credited_minor for invoice in rich.invoices] == [1_000, 9_000]


def test_what_was_used_of_the_month_is_not_given_back(rich: Subscriber, clock: Clock) -> None:
    rich.subscribes()
    clock.set(day(2026, 3, 24))  # 21 of 31 days are left: worth 6.77
    change(rich, "starter", "year")
    leaves(rich)

    assert rich.cents == 100_000 - 1_000 + 677


def test_a_coupon_counts_for_what_it_was_taken_off_alone(rich: Subscriber, clock: Clock) -> None:
    rich.subscribes("prompt", coupon="HALF")  # 30.00
    clock.advance(minutes=1)
    change(rich, "starter")  # at once, for 10.00: the coupon was for the first invoice
    leaves(rich)

    assert rich.cents == 100_000


def test_an_upgrade_in_the_first_second_is_given_back_in_full(rich: Subscriber) -> None:
    rich.subscribes(coupon="HALF")
    change(rich, "growth")
    began = rich.periods[0].invoice_id
    leaves(rich)

    assert began == rich.invoices[1].id
    assert rich.cents == 100_000
