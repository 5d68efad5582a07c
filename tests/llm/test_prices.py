"""What model calls cost: to the micro, at the right step and day, and never nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from app.catalogue import file, publish
from app.db import transaction
from app.llm.prices import Price, price
from app.upstreams.dialect import Route
from app.upstreams.routing import UnknownModel
from app.upstreams.usage import Usage

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OWN = """
[[llm_prices]]
model = "gpt-4o"
from = 2026-11-20
input = "2"
output = "8"
cached_input = "0.5"

[[llm_prices.above]]
tokens = 1_000
input = "4"
output = "12"
cached_input = "1"
"""

Priced = Callable[..., Price]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def priced(session: Session) -> Priced:
    """The price of a model, with what the catalogue says."""

    def of(upstream: str, model: str, at: datetime = NOW, *, currency: str = "usd", own: str = "") -> Price:
        with transaction(session):
            publish.apply(session, file.read(own, currency=currency), actor="cli")
            return price(session, Route(upstream, model), at, currency=currency)

    return of


def test_a_call_costs_what_the_price_list_says(priced: Priced) -> None:
    # $2.50 a million for input, half of it from a cache, and $10 for output
    assert priced("openai", "gpt-4o").cost(Usage(1_000, 200, cached=400)) == 600 * 5 // 2 + 400 * 5 // 4 + 2_000
    # what went into a cache costs a quarter more
    assert priced("anthropic", "claude-sonnet-4-0").cost(Usage(1_000, 100, cached=300, written=200)) == (
        500 * 3 + 90 + 750 + 1_500
    )


def test_halves_are_rounded_away_from_zero_once(priced: Priced) -> None:
    cheap = priced("google", "gemini-2.0-flash")  # $0.10 and $0.40: a tenth and four tenths of a micro a token

    assert [cheap.cost(Usage(prompt, 0)) for prompt in (4, 5, 14, 15)] == [0, 1, 1, 2]
    assert cheap.cost(Usage(3, 3)) == 2  # 0.3 + 1.2; rounded apart it would be 1


def test_what_the_upstream_says_it_charged_is_taken_exactly(priced: Priced) -> None:
    usage = Usage(10, 10, told_cost=Decimal("0.0000125"))

    assert priced("openrouter", "openai/gpt-4o").cost(usage) == 13


def test_a_price_of_ones_own_counts_before_what_the_upstream_says(priced: Priced) -> None:
    usage = Usage(100, 10, told_cost=Decimal("0.0000125"))

    assert priced("openrouter", "openai/gpt-4o", own=OWN.replace("gpt-4o", "openai/gpt-4o")).cost(usage) == 280


@pytest.mark.parametrize(
    ("upstream", "model"),
    [
        ("openai", "gpt-none"),
        ("anthropic", "claude-none"),
        ("google", "gemma-3"),  # known, and without a price
        ("openrouter", "deepseek/deepseek-r1:free"),
        ("openai", "text-embedding-3-small"),  # no price for output
        ("nobody", "gpt-4o"),
    ],
)
def test_a_model_without_a_price_is_refused(priced: Priced, upstream: str, model: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        priced(upstream, model)

    assert refused.value.code == "unknown-model"
    assert refused.value.field == "model"


def test_a_price_of_ones_own_counts_from_its_day_on(priced: Priced) -> None:
    before = priced("openai", "gpt-4o", datetime(2026, 11, 19, 23, 59, tzinfo=UTC), own=OWN)
    after = priced("openai", "gpt-4o", NOW, own=OWN)

    assert before.version.startswith("genai-prices ")
    assert before.cost(Usage(100, 0)) == 250
    assert after.version == "catalogue 2026-11-20"
    assert after.cost(Usage(100, 10, cached=50)) == 100 + 25 + 80
    assert after.cost(Usage(1_000, 10)) == 2_000 + 80
    assert after.cost(Usage(1_001, 10)) == 4_004 + 120


def test_where_wallets_are_not_in_dollars_only_own_prices_count(priced: Priced) -> None:
    with pytest.raises(UnknownModel):
        priced("openai", "gpt-4o", currency="eur")

    assert priced("openai", "gpt-4o", currency="eur", own=OWN).cost(Usage(100, 0)) == 200


def test_dollars_that_an_upstream_tells_are_not_taken_for_another_currency(priced: Priced) -> None:
    usage, own = Usage(100, 0, told_cost=Decimal("0.000001")), OWN.replace("gpt-4o", "openai/gpt-4o")

    euros = priced("openrouter", "openai/gpt-4o", currency="eur", own=own)

    assert euros.cost(usage) == 200
    assert euros.ceiling is None


def test_a_dated_price_of_the_list_is_that_of_its_day(priced: Priced) -> None:
    spring, now = datetime(2025, 5, 1, tzinfo=UTC), NOW

    assert [priced("openai", "o3", at).cost(Usage(1_000, 0)) for at in (spring, now)] == [10_000, 2_000]


@pytest.mark.parametrize(
    ("upstream", "model"),
    [
        ("openai", "gpt-4o"),
        ("openai", "gpt-5.6-sol"),  # steps, and it writes to a cache without being asked
        ("anthropic", "claude-sonnet-4-5"),
        ("google", "gemini-2.5-pro"),
        ("openrouter", "anthropic/claude-sonnet-4.5"),
        ("own", "gpt-4o"),
    ],
)
def test_no_call_costs_more_than_its_bound(priced: Priced, upstream: str, model: str) -> None:
    it = priced("openai" if upstream == "own" else upstream, model, own=OWN if upstream == "own" else "")
    dice = random.Random(4)  # the same calls every time

    for _ in range(300):
        most_in, most_out = dice.choice((1, 999, 1_001, 199_999, 200_001, 300_000, 10**6)), dice.randrange(1, 10**5)
        prompt = dice.choice((most_in, dice.randrange(most_in + 1)))
        cached = dice.randrange(prompt + 1)
        usage = Usage(
            prompt,
            dice.randrange(most_out + 1),
            cached=cached,
            written=dice.randrange(prompt - cached + 1),
            reasoning=dice.randrange(most_out),
        )
        assert it.cost(usage) <= it.bound(most_in, most_out)


def test_the_bound_is_met_where_nothing_is_saved(priced: Priced) -> None:
    it = priced("google", "gemini-2.5-pro")  # no price for writing to a cache

    assert it.bound(200_000, 1_000) == it.cost(Usage(200_000, 1_000)) == 260_000
    assert it.bound(200_001, 1_000) == it.cost(Usage(200_001, 1_000)) == 515_003
