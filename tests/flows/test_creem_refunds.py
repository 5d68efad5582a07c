"""Money that Creem gives back, whoever asked for it: the real adapter, a stand-in on this machine."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.db import transaction
from app.errors import UnsupportedByChannel
from app.flows import reconcile
from app.money import Money
from app.payments.refund_table import Refund
from app.providers import errors
from app.providers.values import CheckoutRequest, CustomerRef
from tests.support.creem import Regular
from tests.support.doubles.creem.server import Running


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # an adapter's journey: nothing here locks


class TestRefund:
    def test_all_of_a_payment_goes_back_once(self, regular: Regular) -> None:
        regular.there.books.percent = 8
        paid = regular.pays(regular.tops_up(5000))
        regular.hears()

        made = regular.asks_back()
        regular.hears(times=2, seed=1)

        assert (regular.wallet, paid["refunded_amount"], paid["status"]) == (0, 5400, "refunded")
        with transaction(regular.session):
            assert regular.session.get_one(Refund, (regular.customer_id, made.id)).state == "succeeded"
        assert not regular.waiting

    def test_a_part_is_refused_and_the_money_stays(self, regular: Regular) -> None:
        paid = regular.pays(regular.tops_up(5000))
        regular.hears()

        with pytest.raises(UnsupportedByChannel):
            regular.asks_back(2000)

        assert (regular.wallet, paid["refunded_amount"]) == (5000, 0)

    @pytest.mark.parametrize("parts", [(2000, 1000), (1000, 2000), (1500, 1500)])
    def test_parts_found_as_one_sum_are_the_same_when_each_is_told_late(
        self, regular: Regular, parts: tuple[int, int]
    ) -> None:
        paid = regular.pays(regular.tops_up(5000))
        regular.hears()
        regular.there.lost = True
        for part in parts:
            regular.there.books.refunds(paid["id"], part)
        regular.hears()
        reconcile.run(regular.sessions, regular.providers, "creem")
        assert regular.wallet == 2000

        regular.there.books.refunds(paid["id"], 500)
        regular.there.lost = False
        regular.clock.advance(hours=2)
        regular.hears(times=2, seed=1)

        with transaction(regular.session):
            made = regular.session.execute(select(Refund.amount_minor, Refund.own_loss_minor, Refund.state)).all()
        assert sorted(map(tuple, made)) == sorted((part, 0, "succeeded") for part in (*parts, 500))
        assert (regular.wallet, regular.waiting) == (1500, [])

    def test_a_part_paid_back_in_creems_dashboard_is_followed(self, regular: Regular) -> None:
        paid = regular.pays(regular.tops_up(5000))
        regular.hears()

        regular.there.books.refunds(paid["id"], 1500)
        regular.hears(times=2, seed=2)

        assert (regular.wallet, regular.waiting) == (3500, [])

    def test_a_dispute_takes_the_money_back(self, regular: Regular) -> None:
        paid = regular.pays(regular.tops_up(5000))
        regular.hears()

        regular.there.books.disputes(paid["id"])
        regular.hears(times=2, seed=1)

        assert (regular.wallet, regular.waiting) == (0, [])


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
def test_a_refund_that_was_not_answered_is_found_by_how_much_went_back(
    creem: Running, creamed: Any, done: bool
) -> None:
    wanted = CheckoutRequest(
        "ord_1", "topup", CustomerRef("cus_1", "cus_1"), "Top-up", "https://a/", "https://b/", Money(5000, "usd")
    )
    paid = creem.books.pays(creamed.create_checkout(wanted, key="k").id)
    creem.fails("POST", "/v1/refunds", 500, done=done)
    asked: dict[str, Any] = {"payment_id": paid["id"], "amount": Money(5000, "usd"), "our_refund_id": "ref_1"}
    with pytest.raises(errors.Unavailable):
        creamed.refund(reason="", key="k", **asked)

    assert [each.amount.minor for each in creamed.list_refunds(paid["id"])] == ([5000] if done else [])
