"""Money that Polar gives back, whoever asked for it: the real adapter, a stand-in on this machine."""

from __future__ import annotations

import pytest

from app.flows import hear_disputes
from tests.support.patron import Patron


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


class TestRefund:
    def test_one_of_ours_leaves_the_wallet_once_with_its_tax(self, patron: Patron) -> None:
        patron.there.books.percent = 8
        order = patron.pays(patron.tops_up(5000))
        patron.hears()

        patron.asks_back(2000)
        patron.hears(times=2, seed=1)

        assert patron.wallet == 3000
        assert (order["refunded_amount"], order["refunded_tax_amount"]) == (2000, 160)
        assert [each.credited_minor for each in patron.invoices] == [2160]
        assert not patron.waiting

    def test_one_made_in_polars_dashboard_is_seen_once(self, patron: Patron) -> None:
        patron.there.books.percent = 8
        order = patron.pays(patron.tops_up(5000))
        patron.hears()

        patron.there.books.refunds({"order_id": order["id"], "amount": 1500, "reason": "other"})
        patron.hears(times=2, seed=3)

        assert patron.wallet == 3500 == patron.there.books.taken()
        assert not patron.waiting

    def test_one_that_fails_later_is_given_back(self, patron: Patron) -> None:
        order = patron.pays(patron.tops_up(5000))
        asked = {"order_id": order["id"], "amount": 1500, "reason": "other"}
        made = patron.there.books.refunds(asked, status="pending")
        patron.hears()
        assert patron.wallet == 3500

        patron.there.books.settles(made, "failed")
        patron.hears()

        assert patron.wallet == 5000 == patron.there.books.taken()

    def test_money_that_polar_pays_back_to_prevent_a_dispute_is_taken_once(self, patron: Patron) -> None:
        order = patron.pays(patron.tops_up(5000))
        patron.hears()

        patron.there.books.prevents(order["id"])
        patron.hears(times=2, seed=2)

        assert (patron.wallet, patron.waiting) == (0, [])

    @pytest.mark.parametrize("end", ["won", "lost"])
    def test_a_dispute_is_heard_of_because_it_is_asked_for(self, patron: Patron, end: str) -> None:
        order = patron.pays(patron.tops_up(5000))
        patron.hears()
        dispute = patron.there.books.disputes(order["id"])
        patron.there.fails("GET", "/v1/disputes/", 500)
        assert hear_disputes.hear(patron.sessions, patron.providers) == 0

        assert [hear_disputes.hear(patron.sessions, patron.providers) for _ in range(2)] == [1, 0]
        patron.applies()
        assert patron.wallet == 0
        patron.clock.advance(hours=1)
        patron.there.books.edit(dispute, status=end)
        assert hear_disputes.hear(patron.sessions, patron.providers) == 1
        patron.applies()

        assert patron.wallet == (5000 if end == "won" else 0)
