"""Which taxes a buyer gets: by country, region and kind; reverse charge for businesses abroad (SPEC I2)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.invoices import tax
from app.invoices.tax import Place


def rate(name: str, percent: int, country: str = "", region: str = "", kind: str = "", **more: Any) -> SimpleNamespace:
    told = {"number": None, "reverse_charge": False, **more}
    return SimpleNamespace(
        name=name, rate_ppm=percent * 10_000, country=country, region=region, customer_type=kind, **told
    )


RATES = [
    rate("VAT", 20, "GB"),
    rate("VAT", 19, "DE", reverse_charge=True, number="DE811111111"),
    rate("GST", 5, "CA"),
    rate("PST", 7, "CA", "BC"),
    rate("GST", 0, "CA", "ON"),
    rate("HST", 13, "CA", "ON"),
    rate("Sales tax", 4, "US", "NY"),
    rate("Sales tax", 0, "US", "NY", "business"),
]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place("GB"), {"VAT": 2000}),
        (Place("GB", customer_type="business", tax_id="GB987654321"), {"VAT": 2000}),
        (Place("DE", abroad=True), {"VAT": 1900}),
        (Place("DE", customer_type="business", abroad=True), {"VAT": 1900}),
        (Place("DE", customer_type="business", tax_id="DE123456789", abroad=True), {"VAT": 0}),
        (Place("DE", customer_type="business", tax_id="DE123456789"), {"VAT": 1900}),
        (Place("CA", "BC", abroad=True), {"GST": 500, "PST": 700}),
        (Place("CA", "AB", abroad=True), {"GST": 500}),
        (Place("CA", "ON", abroad=True), {"GST": 0, "HST": 1300}),
        (Place("US", "ny"), {"Sales tax": 400}),
        (Place("US", "NY", "business"), {"Sales tax": 0}),
        (Place("US", "OR"), {}),
        (Place("FR"), {}),
        (Place(), {}),
    ],
)
def test_a_buyer_is_taxed_where_and_as_what_they_are(place: Place, expected: dict[str, int]) -> None:
    lines = tax.lines_of(RATES, place, 100_000_000, 10_000, "usd")

    assert {line.name: line.amount_minor for line in lines} == expected


def test_a_rate_without_a_country_is_charged_everywhere() -> None:
    lines = tax.lines_of([rate("Tax", 10)], Place("BR"), 100_000_000, 10_000, "usd")

    assert [line.amount_minor for line in lines] == [1000]


def test_reverse_charge_says_so_and_keeps_the_sellers_registration() -> None:
    place = Place("DE", customer_type="business", tax_id="DE123456789", abroad=True)

    lines = tax.lines_of(RATES, place, 100_000_000, 10_000, "usd")

    assert [(line.reverse_charge, line.rate_ppm, line.number) for line in lines] == [(True, 0, "DE811111111")]
    assert tax.note_of(lines) == "Reverse charge: VAT is to be accounted for by the recipient."
    assert tax.note_of(tax.lines_of(RATES, Place("GB"), 1, 1, "usd")) is None
