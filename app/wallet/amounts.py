"""The range of an amount, checked before any arithmetic: the books hold 64-bit integers."""

from __future__ import annotations

from app.errors import Invalid

LARGEST_MICROS = 1_000_000_000_000_000  # a thousand million dollars at once; leaves room to add many up in 64 bits


def positive(amount_micros: int, *, field: str = "amount_micros") -> int:
    """The amount, when it is 1 to 10^15 micros. Raises Invalid otherwise."""
    if not 0 < amount_micros <= LARGEST_MICROS:
        raise Invalid("Give an amount above zero and within range.", field=field, minimum=1, maximum=LARGEST_MICROS)
    return amount_micros
