"""The prices of the library genai-prices, in US dollars, by the day they were in force. Needs no network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any

from app.llm.rates import Rates
from app.upstreams.dialect import Route
from app.upstreams.usage import Usage

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Found:
    """A price of the library's, with the library's own way to calculate it."""

    version: str
    rates: tuple[Rates, ...]
    amount: Callable[[Usage], Decimal]


def find(route: Route, at: datetime) -> Found | None:
    """The price of a model at an instant; None for one that the library does not know, or knows as free."""
    library = _library()
    try:
        one = library.Usage(input_tokens=1, output_tokens=1)
        calculated = library.calc_price(one, route.model, provider_id=route.upstream, genai_request_timestamp=at)
    except LookupError:
        return None
    priced = calculated.model_price
    starts = {tier.start for each in vars(priced).values() if hasattr(each, "tiers") for tier in each.tiers}
    rates = tuple(_rates(priced, above) for above in (0, *sorted(starts)))
    if not all(each.input and each.output for each in rates):
        return None
    return Found(f"genai-prices {_version()}", rates, lambda usage: _amount(library, priced, usage))


def _amount(library: Any, priced: Any, usage: Usage) -> Decimal:
    """Exact dollars. What a cache gave and took is part of the input, whatever an upstream says."""
    cached = min(usage.cached, usage.prompt)
    written = min(usage.written, usage.prompt - cached)
    told = library.Usage(
        input_tokens=usage.prompt,
        output_tokens=usage.completion,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(usage.written_hour, written),
        output_reasoning_tokens=min(usage.reasoning, usage.completion),
    )
    amount: Decimal = priced.calc_price(told)["total_price"]
    return amount


def _rates(priced: Any, above: int) -> Rates:
    """The rates for an input of more than `above` tokens. What has no rate of its own costs as what it is part of."""
    paid, output = _at(priced.input_mtok, above), _at(priced.output_mtok, above)
    return Rates(
        above=above,
        input=paid or _NOTHING,
        output=output or _NOTHING,
        cached=_at(priced.cache_read_mtok, above) or paid or _NOTHING,
        written=_at(priced.cache_write_mtok, above) or paid or _NOTHING,
        reasoning=_at(priced.output_reasoning_mtok, above) or output or _NOTHING,
    )


def _at(priced: Any, above: int) -> Decimal | None:
    """One price of the library's for an input of more than `above` tokens."""
    if not hasattr(priced, "tiers"):
        return priced  # type: ignore[no-any-return]  # a Decimal, or None
    found: Decimal = priced.base
    for tier in priced.tiers:  # in ascending order
        if above >= tier.start:
            found = tier.price
    return found


@cache
def _version() -> str:
    return version("genai-prices")


@cache
def _library() -> Any:
    return import_module("genai_prices")  # 0.3 s: not for a process that never asks for a price
