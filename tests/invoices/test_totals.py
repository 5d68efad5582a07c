"""Whatever an invoice is made of, it adds up, and so does all that is taken back of it (SPEC R1, I2, I3)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.invoices import NewLine
from tests.invoices.conftest import Desk

CENTS = st.integers(0, 500_000).map(lambda cents: NewLine("Plan", cents))
UNITS = st.builds(
    lambda quantity, unit: NewLine("Calls", quantity=quantity, unit_micros=unit),
    st.integers(0, 100_000),
    st.integers(0, 1_000_000),
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(CENTS | UNITS, min_size=1, max_size=5),
    off=st.integers(0, 300_000),
    rates=st.lists(st.integers(0, 300_000), max_size=3),
    steps=st.lists(st.integers(1, 200_000), max_size=4),
)
def test_it_adds_up_and_all_of_it_goes_back(
    desk: Desk, lines: list[NewLine], off: int, rates: list[int], steps: list[int]
) -> None:
    desk.only_rates(rates)
    invoice = desk.invoice(*lines, off=off)

    parts, taxes = desk.lines(invoice), desk.taxes(invoice)
    assert sum(part.amount_minor for part in parts) == invoice.subtotal_minor
    assert sum(part.discount_minor for part in parts) == invoice.discount_minor == min(off, invoice.subtotal_minor)
    assert sum(tax.amount_minor for tax in taxes) == invoice.tax_minor
    assert invoice.subtotal_minor - invoice.discount_minor + invoice.tax_minor == invoice.total_minor >= 0

    left, returned = invoice.net_minor, 0
    for step in [*steps, invoice.net_minor]:
        if take := min(step, left):
            left -= take
            returned += desk.credit(invoice, take, key=f"{invoice.id}:{left}").total_minor
            assert returned == invoice.credited_minor <= invoice.total_minor
    if invoice.net_minor:
        assert returned == invoice.total_minor
