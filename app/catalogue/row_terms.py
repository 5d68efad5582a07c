"""What the catalogue has beside plans, as rows and as terms: what is right as one, and what it is in its table.

Meters, packs, actions, services, and prices of models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.catalogue import llm_prices
from app.catalogue.file import LAST_PLACE
from app.catalogue.models import PRICINGS, Action, LlmPrice, Meter, Pack, Service
from app.catalogue.packs import MOST_IN_A_PACK
from app.catalogue.plan_rules import Wrong, ids_are_right
from app.catalogue.terms import ActionTerms, Catalogue, LlmPriceTerms, MeterTerms, PackTerms, ServiceTerms
from app.catalogue.toml_table import LARGEST, LARGEST_PRICE

RowTerms = MeterTerms | PackTerms | ActionTerms | ServiceTerms | LlmPriceTerms
Row = Meter | Pack | Action | Service | LlmPrice

ROWS: dict[str, type[Meter] | type[Pack] | type[Action] | type[Service] | type[LlmPrice]] = {
    "meter": Meter,
    "pack": Pack,
    "action": Action,
    "service": Service,
    "llm price": LlmPrice,
}
MOST_MARKUP, MOST_COMMISSION = 1_000, 100  # percent
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z", re.ASCII)
_PRICES = ("input", "output", "cached_input", "cache_write")


@dataclass(frozen=True, slots=True)
class Listed:
    """One as staff see it: on offer, or retired since `retired_at`."""

    terms: RowTerms
    retired_at: datetime | None


def kind_of(terms: RowTerms) -> str:
    """meter, pack, action, service or llm price."""
    kinds = {MeterTerms: "meter", PackTerms: "pack", ActionTerms: "action", ServiceTerms: "service"}
    return kinds.get(type(terms), "llm price")


def name_of(terms: RowTerms) -> str:
    """What people call it."""
    return terms.key if isinstance(terms, LlmPriceTerms) else terms.name


def mistakes(wanted: RowTerms) -> Iterator[Wrong]:
    """Everything wrong with it, by its field."""
    if isinstance(wanted, LlmPriceTerms):
        yield from _of_prices(wanted)
        return
    if not _KEY.match(wanted.key):
        yield Wrong("key", "Begin with a small letter, go on with small letters, digits and _, at most 40.")
    if not _is_line(wanted.name):
        yield Wrong("name", "Give a name of 1 to 200 characters.")
    if not 0 <= wanted.position <= LAST_PLACE:
        yield Wrong("position", f"Enter a whole number from 0 to {LAST_PLACE:,}.")
    if isinstance(wanted, MeterTerms) and not _is_line(wanted.unit):
        yield Wrong("unit", "Give the word for one of it, of 1 to 200 characters.")
    if isinstance(wanted, PackTerms | ActionTerms) and not 1 <= wanted.credits <= MOST_IN_A_PACK:
        yield Wrong("credits", f"Enter a whole number from 1 to {MOST_IN_A_PACK:,}.")
    if isinstance(wanted, PackTerms) and not 1 <= wanted.price_minor <= LARGEST_PRICE:
        yield Wrong("price", "Enter a price above nothing, before tax.")
    if isinstance(wanted, PackTerms) and not ids_are_right(wanted.provider_ids):
        yield Wrong("provider_ids", "Write lines like creem.product_id = prod_123.")
    if isinstance(wanted, ServiceTerms):
        yield from _of_service(wanted)


def alone(terms: RowTerms | None) -> Catalogue:
    """A catalogue of this one thing."""
    if isinstance(terms, MeterTerms):
        return Catalogue(meters=(terms,))
    if isinstance(terms, PackTerms):
        return Catalogue(packs=(terms,))
    if isinstance(terms, ActionTerms):
        return Catalogue(actions=(terms,))
    if isinstance(terms, ServiceTerms):
        return Catalogue(services=(terms,))
    return Catalogue() if terms is None else Catalogue(llm_prices=(terms,))


def values(terms: RowTerms) -> dict[str, Any]:
    """Its columns, but for `retired_at`."""
    told = {name: getattr(terms, name) for name in terms.__slots__}
    if isinstance(terms, PackTerms):
        told["provider_ids"] = {channel: dict(names) for channel, names in terms.provider_ids.items()}
    if isinstance(terms, LlmPriceTerms):
        told |= {"key": terms.key, "steps": [list(step) for step in terms.steps]}
    return told


def listed(row: Row) -> Listed:
    """A row as terms."""
    return Listed(_terms(row), row.retired_at)


def _terms(row: Row) -> RowTerms:
    if isinstance(row, Meter):
        return MeterTerms(row.key, row.name, row.unit, row.position)
    if isinstance(row, Action):
        return ActionTerms(row.key, row.name, row.credits, row.position)
    if isinstance(row, Service):
        return ServiceTerms(row.key, row.name, row.pricing, row.markup_percent, row.commission_percent, row.position)
    if isinstance(row, LlmPrice):
        return llm_prices.read_back(row)
    return PackTerms(row.key, row.name, row.credits, row.currency, row.price_minor, row.position, row.provider_ids)


def _of_service(wanted: ServiceTerms) -> Iterator[Wrong]:
    if wanted.pricing not in PRICINGS:
        yield Wrong("pricing", "Choose one of these.")
    for word, percent, most, of in (
        ("markup_percent", wanted.markup_percent, MOST_MARKUP, "cost_plus"),
        ("commission_percent", wanted.commission_percent, MOST_COMMISSION, "list_price"),
    ):
        if percent is None:
            continue
        if not 0 <= percent <= most:
            yield Wrong(word, f"Enter a whole number from 0 to {most:,}.")
        if wanted.pricing in PRICINGS and wanted.pricing != of:
            yield Wrong(word, "Leave this empty: it is for the other way to price a service.")


def _of_prices(wanted: LlmPriceTerms) -> Iterator[Wrong]:
    if not llm_prices.is_model(wanted.model):
        yield Wrong("model", "Give the model's name as callers write it.")
    if not _is_day(wanted.day):
        yield Wrong("day", "Enter a day like 2026-11-01.")
    rows = [(0, wanted.input_micros, wanted.output_micros, wanted.cached_micros, wanted.written_micros), *wanted.steps]
    if len(wanted.steps) > llm_prices.MOST_STEPS:
        yield Wrong("above-1", f"There may be {llm_prices.MOST_STEPS} steps at most.")
    last = 0
    for place, (above, *micros) in enumerate(rows):
        ending = f"-{place}" if place else ""
        if place and not last < above <= LARGEST:
            yield Wrong(f"above{ending}", "Enter more tokens than in the step before.")
        last = above
        for word, each in zip(_PRICES, micros, strict=True):
            least = 1 if word in ("input", "output") else 0
            if not least <= each <= LARGEST:
                yield Wrong(f"{word}{ending}", "Enter a price above nothing, for a million tokens.")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_line(text: str) -> bool:
    return 0 < len(text) <= 200 and text.isprintable() and text == text.strip()
