"""Proration under random changes: nothing is lost, nothing is billed twice, and sums are the sums of their lines."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from app.sandbox.engine.amounts import share
from tests.sandbox.billing.conftest import DAY, START


@pytest.mark.parametrize("seed", range(3))
def test_every_second_is_billed_once_whatever_is_changed(api, pro, prices, desk, seed):
    chance, now = Random(seed), START
    names = list(prices)

    for _ in range(8):
        now += chance.randrange(1, 25 * DAY)
        desk.to(now)
        item = api.subscriptions.retrieve(pro.id)["items"].data[0]
        wish = {"items": [{"id": item.id, "price": prices[chance.choice(names)]}], "proration_date": now}
        behaviour = chance.choice(["always_invoice", "create_prorations"])
        details = {**wish, "proration_behavior": behaviour}
        seen = api.invoices.create_preview({"subscription": pro.id, "subscription_details": details})
        done = api.subscriptions.update(pro.id, details)
        invoice = api.invoices.retrieve(done.latest_invoice)
        if invoice.created == now and seen.billing_reason == "subscription_update":
            assert (invoice.total, invoice.amount_due) == (seen.total, seen.amount_due)
    end = api.subscriptions.retrieve(pro.id)["items"].data[0].current_period_end
    desk.to(end)

    lines = [
        line
        for invoice in api.invoices.list({"subscription": pro.id, "limit": 100}).data
        for line in api.invoices.line_items.list(invoice.id, {"limit": 100}).data
    ]
    last = api.subscriptions.retrieve(pro.id)["items"].data[0].current_period_end
    edges = sorted({point for line in lines for point in (line.period.start, line.period.end)})
    for left, right in pairwise(edges):
        over = [line for line in lines if line.period.start <= left and right <= line.period.end]
        times = sum(-1 if _is_credit(line) else 1 for line in over)
        assert times == (1 if left < last else 0), (left, right)  # a year that was left early is given back whole
    assert edges[0] == START
    for invoice in api.invoices.list({"subscription": pro.id, "limit": 100}).data:
        assert invoice.total == sum(line.amount for line in invoice.lines.data)


@pytest.mark.parametrize("amount", [1, 99, 2900, 990_001])
def test_shares_of_an_amount_add_up_to_it(amount):
    whole = 30 * DAY
    for part in (0, 1, 12_345, whole // 2, whole - 1, whole):
        assert 0 <= share(amount, part, whole) <= amount
        assert share(-amount, part, whole) == -share(amount, part, whole)
        assert abs(share(amount, part, whole) + share(amount, whole - part, whole) - amount) <= 1


def _is_credit(line):
    return line.description.startswith("Unused time")
