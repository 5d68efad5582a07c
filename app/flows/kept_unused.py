"""What a provider will pay back, as it is kept in a row while the steps of paying it back are done."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from app import clock
from app.money import Money
from app.providers.billing import UnusedPart, UnusedValue


def as_kept(unused: UnusedValue) -> dict[str, Any]:
    return {**asdict(unused), "as_of": clock.timestamp(unused.as_of)}


def from_kept(kept: dict[str, Any] | None) -> UnusedValue | None:
    """None where nothing was kept yet."""
    if kept is None:
        return None
    return UnusedValue(
        net=Money(**kept["net"]),
        tax=kept["tax"],
        to_card=kept["to_card"],
        as_of=datetime.fromisoformat(kept["as_of"]),
        parts=[UnusedPart(**part) for part in kept["parts"]],
    )
