"""The columns of a file of packs, meters, actions, services or model prices: one for each thing their terms say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

from app.catalogue.row_terms import Listed
from app.catalogue.terms import ActionTerms, LlmPriceTerms, MeterTerms, PackTerms, ServiceTerms
from app.http import csv_file

_TERMS: dict[str, type[Any]] = {
    "packs": PackTerms,
    "meters": MeterTerms,
    "actions": ActionTerms,
    "services": ServiceTerms,
    "llm-prices": LlmPriceTerms,
}


def columns(plural: str) -> dict[str, Callable[[Listed], object]]:
    """Prices as decimal numbers of their currency, those of models for a million tokens."""
    names = [each.name for each in fields(_TERMS[plural])]
    told = {name.removesuffix("_minor").removesuffix("_micros"): partial(_cell, name) for name in names}
    return {**told, "retired_at": lambda row: csv_file.instant(row.retired_at)}


def _cell(name: str, row: Listed) -> object:
    terms: Any = row.terms
    said = getattr(terms, name)
    if name.endswith("_minor"):
        return csv_file.price(said, terms.currency)
    if name.endswith("_micros"):
        return csv_file.decimal(said)
    if name == "currency":
        return said.upper()
    if name == "steps":
        return "; ".join(f"above {above:,}: {' '.join(map(csv_file.decimal, micros))}" for above, *micros in said)
    if name == "provider_ids":
        return "; ".join(f"{channel}.{what} = {one}" for channel, ids in said.items() for what, one in ids.items())
    return said
