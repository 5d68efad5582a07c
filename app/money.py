"""Money as integers: micros in the books, minor units on cards and invoices, text for people.

One US dollar is 100 cents (minor units) and 1,000,000 micros (SPEC R1). No float, ever: a float cannot hold $0.10.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.errors import Refusal

MICROS_PER_UNIT = 1_000_000

# Digits after the point that card networks use. Kept here, not derived from CLDR: ISK and UGX have no
# decimals there although payment providers want two.
EXPONENTS = {"usd": 2, "eur": 2, "gbp": 2, "chf": 2, "cad": 2, "aud": 2, "sgd": 2, "isk": 2, "jpy": 0, "kwd": 3}

_PLAIN_AMOUNT = re.compile(r"(?P<whole>\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.(?P<part>\d*))?\Z", re.ASCII)


class AmountInvalid(Refusal):
    """What was typed is not an amount of money in this currency."""

    code = "AMOUNT_INVALID"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the currency's minor units (cents), as cards, invoices and providers count it."""

    minor: int
    currency: str

    @property
    def micros(self) -> int:
        return minor_to_micros(self.minor, self.currency)


def micros_per_minor(currency: str) -> int:
    """How many micros one minor unit is: 10,000 for the dollar, 1,000,000 for the yen."""
    return MICROS_PER_UNIT // int(10 ** EXPONENTS[currency])


def minor_to_micros(minor: int, currency: str) -> int:
    return minor * micros_per_minor(currency)


def micros_to_minor(micros: int, currency: str) -> int:
    """Whole minor units, rounded down (towards minus infinity), as balances are shown (SPEC R1)."""
    return micros // micros_per_minor(currency)


def round_half_away(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest integer, halves away from zero: an invoice line's one rounding (R1)."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    whole, rest = divmod(abs(numerator), abs(denominator))
    return sign * (whole + (2 * rest >= abs(denominator)))


def decimal(micros: int) -> str:
    """Micros as a plain decimal number with a point, exact, at least two digits after it: what programs read."""
    whole, part = divmod(abs(micros), MICROS_PER_UNIT)
    figures = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micros < 0 else ''}{whole}.{figures}"


def parse_micros(text: str) -> int:
    """Micros from a price a person typed, with up to six digits after the point: "0.0001". Raises AmountInvalid."""
    found = _PLAIN_AMOUNT.match(text.strip().removeprefix("$").strip())
    if not found or len(found["part"] or "") > 6:
        raise AmountInvalid("Enter a price in figures, like 0.002, with at most 6 digits after the point.")
    return int(found["whole"].replace(",", "")) * MICROS_PER_UNIT + int((found["part"] or "").ljust(6, "0"))


def figures(minor: int, currency: str) -> str:
    """Minor units as a person would type them, so that `parse_minor` reads the same again: `50.00`."""
    digits = EXPONENTS[currency]
    whole, part = divmod(minor, 10**digits)
    return f"{whole}.{part:0{digits}d}" if digits else str(whole)


def parse_minor(text: str, currency: str) -> int:
    """Minor units from what a person typed: "50", "50.5", "1,250.00". Never a sign, an exponent or a word.

    Raises AmountInvalid with a sentence fit for the field.
    """
    typed = text.strip().removeprefix("$").strip()
    found = _PLAIN_AMOUNT.match(typed)
    if not found:
        raise AmountInvalid("Enter an amount in figures, like 50 or 50.00.", field="amount")
    digits = EXPONENTS[currency]
    part = (found["part"] or "").rstrip("0") if digits == 0 else (found["part"] or "")
    if len(part) > digits:
        raise AmountInvalid(f"Use at most {digits} digits after the point.", field="amount")
    return int(found["whole"].replace(",", "")) * int(10**digits) + int((part + "0" * digits)[:digits] or "0")
