"""Facts in words: money, counts and days as they stand in a notice or a mail. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from app import clock
from app.money import MICROS_PER_UNIT, decimal, minor_to_micros

Fact = str | int | datetime | None


def in_words(facts: Mapping[str, Fact], zone: ZoneInfo) -> dict[str, str]:
    """Each fact as a person reads it. `…_micros` and `…_minor` are money of the fact `currency` (dollars if none)."""
    currency = str(facts.get("currency") or "usd")
    return {name: _word(name, fact, currency, zone) for name, fact in facts.items()}


def for_programs(facts: Mapping[str, Fact]) -> dict[str, str | int | None]:
    """The same facts fit for JSON: times in RFC 3339."""
    return {name: clock.timestamp(fact) if isinstance(fact, datetime) else fact for name, fact in facts.items()}


def money(micros: int, currency: str) -> str:
    """An amount, exact: `$1,250.00`, `$0.0001`, `12.50 EUR`."""
    whole, _, part = decimal(abs(micros)).partition(".")
    figures = f"{int(whole):,}.{part}"
    named = f"${figures}" if currency == "usd" else f"{figures} {currency.upper()}"
    return f"−{named}" if micros < 0 else named


def day(instant: datetime) -> str:
    """`4 December 2026`, in the zone the instant is in."""
    return f"{instant.day} {instant:%B %Y}"


def _word(name: str, fact: Fact, currency: str, zone: ZoneInfo) -> str:
    if isinstance(fact, datetime):
        return day(fact.astimezone(zone))
    if not isinstance(fact, int):
        return fact or ""
    if name.endswith("_micros"):
        # Balances are shown rounded down to the cent (SPEC R1).
        return money(fact // (MICROS_PER_UNIT // 100) * (MICROS_PER_UNIT // 100), currency)
    return money(minor_to_micros(fact, currency), currency) if name.endswith("_minor") else f"{fact:,}"
