"""Posting an entry: once per key, along the chart, never below the floor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import ledger
from app.db import transaction
from app.errors import IdempotencyKeyReused, InsufficientFunds, Invalid
from app.ledger import Account, ChartViolation
from app.ledger.entries import encoded, fingerprint
from tests.ledger.conftest import CASH, REVENUE, Wallet


def test_it_moves_money_from_one_account_to_another(wallet: Wallet) -> None:
    entry = wallet.tops_up(50_000_000)

    assert wallet.balance.balance == 50_000_000
    assert entry.balance_after == 50_000_000
    assert entry.leg(CASH).amount == -50_000_000
    assert entry.id.startswith("wtxn_")


def test_what_makes_two_requests_the_same_is_spelled_as_it_always_was() -> None:
    """Keys written by earlier versions must still be known."""
    legs = {Account('cus_"é\\', "wallet", "usd"): -5, Account("house", "payable:x\n", "usd"): 5}

    for data in ({}, {"b": [1, None], "a": "é"}):
        for more in ((), ("settle",)):
            told = encoded(["debit", sorted([*account, amount] for account, amount in legs.items()), data, *more])
            known = hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
            assert fingerprint("debit", legs, data, *more) == known


def test_it_answers_the_stored_entry_when_the_key_comes_again(wallet: Wallet) -> None:
    first = wallet.tops_up(50_000_000, key="once", data={"order": "ord_1"})

    again = wallet.tops_up(50_000_000, key="once", data={"order": "ord_1"})

    assert again == first
    assert again.replayed
    assert not first.replayed
    assert wallet.balance.balance == 50_000_000


@pytest.mark.parametrize("change", [{"amount": 1}, {"data": {"order": "ord_2"}}])
def test_it_refuses_the_same_key_with_other_content(wallet: Wallet, change: dict[str, Any]) -> None:
    wallet.tops_up(50_000_000, key="once", data={"order": "ord_1"})

    with pytest.raises(IdempotencyKeyReused):
        wallet.tops_up(**{"amount": 50_000_000, "key": "once", "data": {"order": "ord_1"}, **change})

    assert wallet.balance.balance == 50_000_000


def test_it_keeps_keys_apart_by_customer(wallet: Wallet, session: Session) -> None:
    other = Wallet(session, Account("cus_other", "wallet", "usd"))
    wallet.tops_up(1, key="same")

    entry = other.tops_up(2, key="same")

    assert not entry.replayed
    assert other.balance.balance == 2


@pytest.mark.parametrize("amount", [50_000_001, 10**15])
def test_it_refuses_to_go_below_zero_and_leaves_every_table_as_it_was(
    wallet: Wallet, everything: Callable[[], Any], amount: int
) -> None:
    wallet.tops_up(50_000_000)
    before = everything()

    with pytest.raises(InsufficientFunds) as refused:
        wallet.spends(amount)

    assert refused.value.details == {"available_micros": 50_000_000, "needed_micros": amount}
    assert everything() == before


def test_it_goes_on_in_the_same_transaction_after_a_refusal(wallet: Wallet, session: Session) -> None:
    with transaction(session):
        with pytest.raises(InsufficientFunds):
            ledger.post(session, "debit", {wallet.account: -1, REVENUE: 1}, customer_id=wallet.customer_id, key="a")
        ledger.post(session, "topup", {wallet.account: 5, CASH: -5}, customer_id=wallet.customer_id, key="b")

    assert wallet.balance.balance == 5


def test_it_refuses_a_customer_who_never_had_money_without_making_an_account(
    wallet: Wallet, everything: Callable[[], Any]
) -> None:
    with pytest.raises(InsufficientFunds):
        wallet.spends(1)

    assert everything()["ledger_account"] == []


def test_it_spends_to_the_last_micro(wallet: Wallet) -> None:
    wallet.tops_up(50_000_000)

    wallet.spends(50_000_000)

    assert wallet.balance.balance == 0


def test_it_refuses_in_credits_for_credits(session: Session) -> None:
    units = Account("cus_1", "credits", "credits")

    with pytest.raises(InsufficientFunds) as refused, transaction(session):
        ledger.post(
            session,
            "credit_spend",
            {units: -50, Account("house", "revenue", "credits"): 50},
            customer_id="cus_1",
            key="k",
        )

    assert refused.value.details == {"available": 0, "needed": 50}
    assert refused.value.sentence == "This needs 50 credits and 0 are available."


def test_it_moves_two_assets_in_one_entry(wallet: Wallet, session: Session) -> None:
    units = Account(wallet.customer_id, "credits", "credits")
    wallet.tops_up(10_000_000)
    legs = {wallet.account: -10_000_000, REVENUE: 10_000_000, units: 500, Account("house", "issued", "credits"): -500}

    with transaction(session):
        ledger.post(session, "pack", legs, customer_id=wallet.customer_id, key="pack")

    assert ledger.balance(session, units).balance == 500
    assert wallet.balance.balance == 0


def test_it_keeps_when_a_thing_happened_beside_when_it_was_written(wallet: Wallet) -> None:
    happened = datetime(2026, 3, 1, 12, tzinfo=UTC)

    entry = wallet.tops_up(1, occurred_at=happened)

    assert entry.occurred_at == happened
    assert entry.recorded_at > happened


@pytest.mark.parametrize(
    ("kind", "legs"),
    [
        ("debit", {"wallet": -1}),
        ("debit", {"wallet": -2, "revenue": 1}),
        ("debit", {"wallet": -1, "cash:stripe": 1}),
        ("debit", {"wallet": 1, "revenue": -1}),
        ("topup", {"wallet": 1, "promotions": -1}),
        ("nonsense", {"wallet": 1, "cash": -1}),
        ("reversal", {"wallet": 1, "cash": -1}),
        ("topup", {"wallet": 1, "cupboard": -1}),
        ("debit", {"wallet": 0, "revenue": 0}),
    ],
)
def test_it_crashes_on_a_movement_the_chart_does_not_know(
    wallet: Wallet, session: Session, kind: str, legs: dict[str, int]
) -> None:
    asked = {wallet.account if name == "wallet" else Account("house", name, "usd"): n for name, n in legs.items()}

    with pytest.raises(ChartViolation), transaction(session):
        ledger.post(session, kind, asked, customer_id=wallet.customer_id, key="k")


def test_it_never_moves_money_between_customers(wallet: Wallet, session: Session) -> None:
    other = Account("cus_other", "wallet", "usd")

    with pytest.raises(ChartViolation), transaction(session):
        ledger.post(session, "adjustment", {wallet.account: -1, other: 1}, customer_id=wallet.customer_id, key="k")


@pytest.mark.parametrize("amount", [10**15 + 1, 2**63, 10**400])
def test_it_refuses_an_amount_no_wallet_could_hold(wallet: Wallet, amount: int) -> None:
    with pytest.raises(Invalid):
        wallet.tops_up(amount)


@pytest.mark.parametrize("amount", [1.5, True, "1"])
def test_it_crashes_on_money_that_is_not_an_int(wallet: Wallet, amount: Any) -> None:
    with pytest.raises((AssertionError, TypeError)):
        wallet.tops_up(amount)


@pytest.mark.parametrize("key", ["", "x" * 256, "nul\0", "line\n", "\ud800"])
def test_it_refuses_a_key_it_could_not_store(session: Session, wallet: Wallet, key: str) -> None:
    with pytest.raises(Invalid), transaction(session):
        ledger.post(session, "topup", {wallet.account: 1, CASH: -1}, customer_id=wallet.customer_id, key=key)


def test_it_stores_any_text_in_the_data(wallet: Wallet, session: Session) -> None:
    said = {"description": "nul \0, half \ud800, quote ' and 🜚"}

    entry = wallet.tops_up(1, data=said)

    stored = ledger.entry(session, wallet.customer_id, entry.id)
    assert stored is not None
    assert stored.data == said


def test_it_finds_an_entry_only_for_its_own_customer(wallet: Wallet, session: Session) -> None:
    entry = wallet.tops_up(7)

    assert ledger.entry(session, wallet.customer_id, entry.id) == entry
    assert ledger.entry(session, "cus_other", entry.id) is None
