"""Prices of models in a catalogue file: dated, told before they are applied, and each mistake with its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from app.catalogue import difference, file, llm_prices, reads
from app.catalogue.difference import Change

Apply = Callable[[str], list[Change]]

PRICES = """
[[llm_prices]]
model = "gpt-5"
from = 2026-11-01
input = "1.25"
output = "10.00"
cached_input = "0.125"

[[llm_prices.above]]
tokens = 200_000
input = "2.5"
output = "15"

[[llm_prices]]
model = "gpt-5"
from = 2026-12-01
input = "1"
output = "8"
"""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_prices_are_told_first_and_then_applied_once(session: Session, apply: Apply) -> None:
    wanted = file.read(PRICES, currency="usd")

    first = difference.between(reads.whole(session), wanted)

    assert [line for change in first for line in change.lines()][:3] == [
        "+ llm price gpt-5 from 2026-11-01",
        "    input: 1.25 USD",
        "    output: 10.00 USD",
    ]
    assert apply(PRICES) == first
    assert reads.whole(session) == wanted
    assert apply(PRICES) == []


def test_the_newest_day_that_has_begun_counts(session: Session, apply: Apply) -> None:
    apply(PRICES)

    def input_at(day: int, month: int) -> int | None:
        found = llm_prices.in_force(session, "gpt-5", datetime(2026, month, day, tzinfo=UTC))
        return found and found.input_micros

    assert [input_at(31, 10), input_at(1, 11), input_at(30, 11), input_at(1, 12)] == [
        None,
        1_250_000,
        1_250_000,
        1_000_000,
    ]


def test_a_price_that_the_file_leaves_out_counts_no_longer(session: Session, apply: Apply) -> None:
    apply(PRICES)

    changes = apply("")

    assert [(change.kind, change.how) for change in changes] == [("llm price", "retired")] * 2
    assert llm_prices.in_force(session, "gpt-5", datetime(2027, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("before", "after", "mistake"),
    [
        ('input = "1.25"', "input = 1.25", "llm_prices[1].input: must be a price in quotes"),
        ('input = "1.25"', 'input = "0"', "llm_prices[1].input: must be more than nothing"),
        ('output = "15"', "", "llm_prices[1].above[1].output: must be more than nothing"),
        ("tokens = 200_000", "tokens = 0", "llm_prices[1].above[1].tokens: must be"),
        ("2026-12-01", "2026-11-01", "llm_prices[2].from: is there twice"),
        ("2026-12-01", '"soon"', "llm_prices[2].from: must be a day"),
        ("2026-12-01", "2026-12-01T10:00:00Z", "llm_prices[2].from: must be a day"),
        ('"gpt-5"', '"gpt 5"', "llm_prices[1].model: is no name"),
        ("cached_input", "cached", "llm_prices[1].cached: is not known"),
        ("[[llm_prices]]", "[llm_prices.gpt]", "llm_prices: must be tables"),
    ],
)
def test_each_mistake_is_told_with_its_place(before: str, after: str, mistake: str) -> None:
    text = PRICES.replace(before, after, 1) if "[[llm_prices]]" not in before else '[llm_prices.gpt]\ninput = "1"\n'

    with pytest.raises(file.CatalogueWrong) as refused:
        file.read(text, currency="usd")

    assert mistake in refused.value.sentence
