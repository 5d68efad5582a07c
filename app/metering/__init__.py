"""Metering: usage events in, once per id; counters, allowances, and what lies beyond them (SPEC §4)."""

from __future__ import annotations

from app.metering.events import NewEvent, Recorded, Refused
from app.metering.record import record, summary, take

__all__ = ["NewEvent", "Recorded", "Refused", "record", "summary", "take"]
