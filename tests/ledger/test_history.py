"""Reading an account's past: pages, filters, totals, and the balance at an instant, all against a plain list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import ledger
from app.ledger import Line
from tests.ledger.conftest import REVENUE, Wallet

FILTERS = [None, ["debit"], ["debit", "overage"], ["topup", "debit", "overage", "compute"], ["refund"], []]


@pytest.fixture
def past(wallet: Wallet, session: Session, clock: Any) -> list[Line]:
    """Forty movements of three kinds, some at the same instant; newest first."""
    wallet.tops_up(1000)
    for number in range(39):
        clock.advance(seconds=number % 3)
        wallet.post(["debit", "overage", "debit", "compute"][number % 4], -1, REVENUE, key=f"n{number}")
    return ledger.history(session, wallet.account, limit=100)


def test_it_lists_newest_first_with_a_gapless_seq_and_a_running_balance(past: list[Line]) -> None:
    assert [line.seq for line in past] == list(range(40, 0, -1))
    assert [line.balance_after for line in past] == [1000 - 39 + n for n in range(39)] + [1000]
    assert past[-1].kind == "topup"
    assert past[0].key == "n38"


@pytest.mark.parametrize("kinds", FILTERS)
def test_pages_by_cursor_make_up_the_whole(
    wallet: Wallet, session: Session, past: list[Line], kinds: list[str] | None
) -> None:
    seen: list[Line] = []
    before = None
    while page := ledger.history(session, wallet.account, before=before, limit=7, kinds=kinds):
        seen += page
        before = page[-1].seq

    assert seen == [line for line in past if kinds is None or line.kind in kinds]


@pytest.mark.parametrize("kinds", FILTERS)
@pytest.mark.parametrize("offset", [0, 1, 6, 18, 19, 39, 40, 1000])
def test_pages_by_offset_are_slices_of_the_whole(
    wallet: Wallet, session: Session, past: list[Line], kinds: list[str] | None, offset: int
) -> None:
    wanted = [line for line in past if kinds is None or line.kind in kinds]

    total, lines = ledger.history_offset(session, wallet.account, offset=offset, limit=7, kinds=kinds)

    assert total == len(wanted)
    assert lines == wanted[offset : offset + 7]


@pytest.mark.parametrize("kinds", [None, ["debit"], ["debit", "compute"]])
def test_a_period_includes_its_start_and_not_its_end(
    wallet: Wallet, session: Session, past: list[Line], kinds: list[str] | None
) -> None:
    since, until = past[30].recorded_at, past[5].recorded_at

    lines = ledger.history(session, wallet.account, since=since, until=until, kinds=kinds, limit=100)

    here = [line for line in past if since <= line.recorded_at < until]
    assert lines == [line for line in here if kinds is None or line.kind in kinds]


def test_the_balance_at_an_instant_is_the_sum_of_what_was_recorded_before(
    wallet: Wallet, session: Session, past: list[Line]
) -> None:
    start = past[-1].recorded_at
    for seconds in range(-1, 60, 3):
        instant = start + timedelta(seconds=seconds)

        found = ledger.stretch(session, wallet.account, since=start, until=instant)

        assert found.closing == sum(line.amount for line in past if line.recorded_at < instant)


def test_totals_by_kind_are_kept(wallet: Wallet, session: Session, past: list[Line]) -> None:
    assert ledger.totals(session, wallet.account) == {
        "compute": (9, 0, 9),
        "debit": (20, 0, 20),
        "overage": (10, 0, 10),
        "topup": (1, 1000, 0),
    }


def test_an_account_never_used_has_no_history(session: Session, wallet: Wallet) -> None:
    assert ledger.history(session, wallet.account) == []
    assert ledger.history_offset(session, wallet.account, offset=0, limit=50) == (0, [])
    assert ledger.totals(session, wallet.account) == {}
    assert ledger.stretch(session, wallet.account, since=the_clock.now(), until=the_clock.now()).closing == 0
    assert ledger.balance(session, wallet.account) == ledger.Balance()


def test_an_opened_account_is_empty(session: Session, wallet: Wallet) -> None:
    ledger.open_account(session, wallet.account)
    ledger.open_account(session, wallet.account)

    assert ledger.balances(session, [wallet.account]) == {wallet.account: ledger.Balance()}


def test_a_clock_set_back_does_not_turn_the_history_around(wallet: Wallet, session: Session, clock: Any) -> None:
    first = wallet.tops_up(5)
    clock.advance(hours=-1)

    second = wallet.tops_up(5)

    assert second.recorded_at == first.recorded_at
    after = first.recorded_at + timedelta(microseconds=1)
    assert ledger.stretch(session, wallet.account, since=first.recorded_at, until=after).closing == 10
