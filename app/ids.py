"""Identifiers: a prefix that says what it is, then 26 characters that sort by time of making (Crockford base 32)."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Every two characters at once: an id is made for each movement of money, and this takes half the time.
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]


def new(prefix: str) -> str:
    """A fresh id such as `cus_01k…`: 48 bits of milliseconds, 80 random bits. Not a secret."""
    # Wall-clock milliseconds, not the movable clock: an id only has to be unique and roughly ordered.
    value = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    return prefix + "_" + "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])


_SHIFTS = range(120, -1, -10)


def made_at(text: str) -> datetime | None:
    """When an id was made, by the machine's own clock, to the millisecond; None for what `new` never makes."""
    figures = text.rpartition("_")[2]
    if len(figures) != 26 or not set(figures) <= set(_ALPHABET):
        return None
    value = 0
    for letter in figures:
        value = value << 5 | _ALPHABET.index(letter)
    try:
        return _EPOCH + timedelta(milliseconds=value >> 80)
    except OverflowError:
        return None


def earliest(prefix: str, instant: datetime) -> str:
    """What sorts before every id of this prefix that is made at `instant` or later."""
    value = (instant - _EPOCH) // timedelta(milliseconds=1) << 80
    return prefix + "_" + "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
