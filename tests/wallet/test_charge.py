"""Charges: the customer pays what was said, and every micro of it is somebody's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app import ledger
from app.db import transaction
from app.errors import IdempotencyKeyReused, InsufficientFunds, Invalid
from app.ledger import Account
from app.money import round_half_away
from app.wallet import accounts, charges
from tests.support.people import Person


def paid(session: Session, ada: Person, priced: charges.Charge, key: str = "k") -> ledger.Entry:
    with transaction(session):
        return charges.charge(session, ada.customer_id, priced, description=None, key=key, by="key_host")


def amounts(entry: ledger.Entry) -> dict[Account, int]:
    return {leg.account: leg.amount for leg in entry.legs}


def test_it_pays_the_publisher_the_list_price_less_our_commission(session: Session, ada: Person) -> None:
    priced = charges.at_list_price("translate", 120_000, publisher="acme", commission_percent=20)

    entry = paid(session, ada, priced)

    assert entry.kind == "invocation"
    assert amounts(entry) == {
        ada.wallet: -120_000,
        accounts.payable("acme"): 96_000,
        accounts.commission(): 24_000,
    }
    assert ada.balance() == 5_000_000 - 120_000


def test_it_books_the_whole_list_price_as_revenue_when_the_service_is_our_own(session: Session, ada: Person) -> None:
    priced = charges.at_list_price("translate", 7, publisher=None, commission_percent=20)

    assert amounts(paid(session, ada, priced)) == {ada.wallet: -7, accounts.revenue(): 7}


def test_it_adds_the_markup_to_what_it_cost(session: Session, ada: Person) -> None:
    for service, kind in (("compute", "compute"), ("identity", "identity"), ("gpu", "compute")):
        entry = paid(session, ada, charges.at_cost_plus(service, 1_000_000, markup_percent=15), key=service)

        assert entry.kind == kind
        assert amounts(entry) == {
            ada.wallet: -1_150_000,
            accounts.upstream_cost(): 1_000_000,
            accounts.revenue(): 150_000,
        }


@pytest.mark.parametrize(
    ("cost", "markup"),
    [(1, 0), (3, 0), (4, 1), (10, 2), (30, 5), (99, 15), (110, 17), (333_333, 50_000), (10**14, 15 * 10**12)],
)
def test_it_rounds_the_markup_once_half_away_from_zero(cost: int, markup: int) -> None:
    priced = charges.at_cost_plus("compute", cost, markup_percent=15)

    assert priced.total == cost + markup


def test_it_leaves_out_a_share_that_rounds_to_nothing(session: Session, ada: Person) -> None:
    entry = paid(session, ada, charges.at_list_price("translate", 1, publisher="acme", commission_percent=20))

    assert amounts(entry) == {ada.wallet: -1, accounts.payable("acme"): 1}


@given(price=st.integers(1, 10**15), percent=st.integers(0, 100))
def test_commission_and_payable_always_add_up_to_the_price(price: int, percent: int) -> None:
    priced = charges.at_list_price("translate", price, publisher="acme", commission_percent=percent)

    assert sum(priced.parts.values()) == priced.total == price
    assert priced.parts[accounts.commission()] == round_half_away(price * percent, 100)
    assert min(priced.parts.values()) >= 0


@given(cost=st.integers(1, 10**14), percent=st.integers(0, 100))
def test_cost_and_markup_always_add_up_to_the_total(cost: int, percent: int) -> None:
    priced = charges.at_cost_plus("compute", cost, markup_percent=percent)

    assert sum(priced.parts.values()) == priced.total
    assert priced.parts[accounts.upstream_cost()] == cost


def test_it_charges_once_per_key(session: Session, ada: Person) -> None:
    priced = charges.at_cost_plus("compute", 100, markup_percent=15)

    first, second = paid(session, ada, priced, "same"), paid(session, ada, priced, "same")

    assert second == first
    assert second.replayed
    with pytest.raises(IdempotencyKeyReused):
        paid(session, ada, charges.at_cost_plus("compute", 101, markup_percent=15), "same")


def test_it_refuses_when_the_wallet_is_one_micro_short(session: Session, ada: Person) -> None:
    with pytest.raises(InsufficientFunds) as refused:
        paid(session, ada, charges.at_list_price("translate", 5_000_001, publisher=None, commission_percent=20))

    assert refused.value.details == {"available_micros": 5_000_000, "needed_micros": 5_000_001}
    assert ada.balance() == 5_000_000


@pytest.mark.parametrize("name", ["", " ", "a b", "a\x00", "ä", "x" * 65, "'; DROP TABLE", "payable:acme"])
def test_it_refuses_a_name_no_publisher_has(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        charges.at_list_price("translate", 1, publisher=name, commission_percent=20)

    assert refused.value.field == "publisher"


@pytest.mark.parametrize("amount", [0, -1, 10**15 + 1, 2**63])
def test_it_refuses_an_amount_out_of_range(amount: int) -> None:
    with pytest.raises(Invalid) as listed:
        charges.at_list_price("translate", amount, publisher=None, commission_percent=20)
    with pytest.raises(Invalid) as at_cost:
        charges.at_cost_plus("compute", amount, markup_percent=15)

    assert (listed.value.field, at_cost.value.field) == ("list_price_micros", "cost_micros")
