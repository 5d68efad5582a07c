"""What a million tokens cost, by what they are."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.money import MICROS_PER_UNIT
from app.upstreams.usage import Usage

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices for a million tokens, in units of the currency, for calls with more than `above` tokens of input."""

    above: int
    input: Decimal
    output: Decimal
    cached: Decimal
    written: Decimal
    reasoning: Decimal

    @classmethod
    def of_micros(cls, above: int, paid: int, output: int, cached: int, written: int) -> Rates:
        """From micros a million tokens; reasoning is output."""
        units = [Decimal(each) / MICROS_PER_UNIT for each in (paid, output, cached, written, output)]
        return cls(above, *units)

    @property
    def dearest_input(self) -> Decimal:
        """Some upstreams write to a cache without being asked, and charge more for it."""
        return max(self.input, self.cached, self.written)

    @property
    def dearest_output(self) -> Decimal:
        return max(self.output, self.reasoning)

    def amount(self, usage: Usage) -> Decimal:
        """Exact units of the currency."""
        fresh = max(0, usage.prompt - usage.cached - usage.written)
        tokens = fresh * self.input + usage.cached * self.cached + usage.written * self.written
        return (tokens + usage.completion * self.output) / MILLION
