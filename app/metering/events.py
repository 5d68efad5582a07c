"""Usage events as values: what is reported, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from app.errors import Refusal


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Some units of a meter. `occurred_at` None is now; `source` "" is none (SPEC U1)."""

    id: str
    meter: str
    quantity: int
    source: str = ""
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was not counted, and why. The same id can be sent again."""

    id: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: each event is in exactly one of the three."""

    accepted: int = 0
    duplicates: int = 0
    refused: tuple[Refused, ...] = field(default=())
