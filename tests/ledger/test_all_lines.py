"""Everybody's lines and accounts: pages, filters and sums, against a plain recount of the rows."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select

from app import ledger
from app.db import transaction
from app.errors import Invalid
from app.ledger import Account, Asked, all_lines, tables

KINDS = {"topup": "cash:stripe", "debit": "revenue", "promo": "promotions", "chargeback": "cash:stripe"}


@pytest.fixture
def moved(session, clock):
    """Three customers and sixty movements over some days, a part of them already rolled up."""
    chance = random.Random(7)  # not a secret
    for number in range(60):
        customer = f"cus_{chance.choice('abc')}"
        kind = "topup" if number < 3 else chance.choice(list(KINDS))
        size = chance.randrange(1, 900) * 10_000
        amount = -size if kind in ("debit", "chargeback") else size
        wallet = Account(customer, "wallet", "usd")
        if kind == "debit" and ledger.balance(session, wallet).available < size:
            kind, amount = "topup", size
        with transaction(session):
            legs = {wallet: amount, Account("house", KINDS[kind], "usd"): -amount}
            ledger.post(session, kind, legs, customer_id=customer, key=f"k{number}")
            if number % 4 == 0:
                given = {Account(customer, "credits", "credits"): 5, Account("house", "promotions", "credits"): -5}
                ledger.post(session, "checkin", given, customer_id=customer, key=f"c{number}")
        if number in (20, 40):
            with transaction(session):
                ledger.roll_up(session)
        clock.advance(hours=chance.choice([0, 0, 5, 30]))
    leg = tables.legs
    rows = session.execute(select(leg).where(leg.c.seq.is_not(None))).all()
    session.rollback()
    return sorted(rows, key=lambda row: row.recorded_at, reverse=True)


def walked(session, asked, limit=7):
    found, before = [], None
    while True:
        page = ledger.lines(session, asked, before=before, limit=limit)
        found += page.found
        if not page.older:
            return found
        before = page.older


def wanted(rows, asked):
    return {
        (row.customer_id, row.entry_id, row.account)
        for row in rows
        if (asked.account in (None, row.account))
        and (asked.kinds is None or row.kind in asked.kinds)
        and (asked.customer_id in (None, row.customer_id))
        and (asked.least is None or abs(row.amount) >= asked.least)
        and (asked.most is None or abs(row.amount) <= asked.most)
        and (asked.first_day is None or row.recorded_at.date() >= asked.first_day)
        and (asked.last_day is None or row.recorded_at.date() <= asked.last_day)
    }


def filters(rows):
    days = sorted({row.recorded_at.date() for row in rows})
    middle, later = days[len(days) // 2], days[-2]
    return [
        Asked(),
        Asked(account="wallet"),
        Asked(kinds=("topup",)),
        Asked(kinds=("chargeback", "promo"), first_day=middle, last_day=later),
        Asked(first_day=middle, last_day=middle),
        Asked(least=2_000_000, most=4_000_000),
        Asked(customer_id="cus_a"),
        Asked(customer_id="cus_b", account="credits"),
        Asked(customer_id="cus_c", kinds=("debit", "checkin"), first_day=middle),
        Asked(customer_id="cus_a", least=1_000_000, last_day=later),
        Asked(customer_id="cus_nobody"),
        Asked(kinds=("payout",)),
    ]


def test_pages_and_sums_are_those_of_the_rows(session, moved, monkeypatch):
    # A page that may look at ten lines only must still come to everything in the end, and to nothing twice.
    for most in (all_lines.LOOKED_THROUGH, 10):
        monkeypatch.setattr(all_lines, "LOOKED_THROUGH", most)
        for asked in filters(moved):
            found = walked(session, asked)
            seen = [(each.customer_id, each.line.entry_id, each.account) for each in found]
            assert len(seen) == len(set(seen)), asked
            assert set(seen) == wanted(moved, asked), asked
            times = [each.line.recorded_at for each in found]
            assert times == sorted(times, reverse=True) or (most == 10 and asked.customer_id), asked

    for asked in filters(moved):
        if asked.by_day_only:
            rows = [row for row in moved if (row.customer_id, row.entry_id, row.account) in wanted(moved, asked)]
            told = ledger.summed(
                session, account=asked.account, kinds=asked.kinds, since=asked.first_day, until=asked.last_day
            )
            assert told == recounted(rows), asked


def recounted(rows):
    sums = {}
    for row in rows:
        count, came, went = sums.get(row.asset, (0, 0, 0))
        sums[row.asset] = (count + 1, came + max(row.amount, 0), went + max(-row.amount, 0))
    return sums


def test_days_and_accounts_add_up_to_the_rows(session, moved):
    days = ledger.by_day(session, account="wallet")
    sums = ledger.account_sums(session, "wallet", ("some", "below", "held"))
    page = ledger.account_page(session, "wallet", limit=2)
    rest = ledger.account_page(session, "wallet", before=page.older, limit=2)

    assert sum(day.lines for day in days) == len([row for row in moved if row.account == "wallet"])
    assert sum(day.amount_in - day.amount_out for day in days) == sums["some"].balance
    assert sum(balance.balance for _, balance in page.found + rest.found) == sums["some"].balance
    below = [balance.balance for _, balance in page.found + rest.found if balance.balance < 0]
    assert (len(below), sum(below)) == (sums["below"].accounts, sums["below"].balance)


def test_one_entry_is_found_by_its_id_and_by_its_key(session, moved):
    row = moved[30]
    key = next(each.line.key for each in walked(session, Asked()) if each.line.entry_id == row.entry_id)

    for asked in (Asked(entry_id=row.entry_id), Asked(key=key), Asked(customer_id=row.customer_id, key=key)):
        assert {each.line.entry_id for each in walked(session, asked)} == {row.entry_id}


@pytest.mark.parametrize("place", ["x", "2026-13-45T00:00:00.000000Z~1", "1.2"])
def test_it_refuses_a_place_that_is_none(session, place):
    with pytest.raises(Invalid):
        ledger.lines(session, Asked(customer_id="cus_a" if place != "1.2" else None), before=place)
