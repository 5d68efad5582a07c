"""The store that is sold from, and the variant whose price we choose ourselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shop:
    """`variant_id` backs every top-up and pack; empty, neither can be sold."""

    store_id: str
    variant_id: str
    test_mode: bool
