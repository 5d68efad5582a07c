"""The shortfall as a bill: what is there, what was needed, and by how much it falls short (SPEC R8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.http.filters import exact, number, places_of

Line = tuple[str, str, str]  # label, amount, small print


def bill_of(details: Mapping[str, Any]) -> list[Line]:
    """The lines for details with `available_micros` and `needed_micros`, or `available` and `needed`; else none."""
    if {"available_micros", "needed_micros"} <= details.keys():
        available, needed = details["available_micros"], details["needed_micros"]
        places = places_of((available, needed))
        return _lines(*(exact(amount, places=places) for amount in (available, -needed, needed - available)))
    if {"available", "needed"} <= details.keys():
        available, needed = details["available"], details["needed"]
        return _lines(*(number(amount) for amount in (available, -needed, needed - available)))
    return []


def _lines(available: str, needed: str, short: str) -> list[Line]:
    return [("Available", available, ""), ("Needed", needed, ""), ("Short by", short, "")]
