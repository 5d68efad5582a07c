"""Whose an entry is that staff name without its customer."""

from __future__ import annotations

from datetime import UTC, datetime

from app import ids, ledger
from tests.ledger.conftest import CASH, Wallet


def test_an_entry_leads_to_its_customer_whatever_clock_it_was_recorded_by(wallet: Wallet, clock) -> None:
    moved = wallet.tops_up(5_000_000)
    clock.now = datetime.now(UTC)
    timely = wallet.post("topup", 1_000_000, CASH)

    for entry in (moved, timely):
        assert ledger.whose(wallet.session, entry.id) == wallet.customer_id
    for unknown in (ids.new("wtxn"), "wtxn_1", timely.id.replace("wtxn", "hold")):
        assert ledger.whose(wallet.session, unknown) is None
