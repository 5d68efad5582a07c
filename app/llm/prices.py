"""What a model costs: the catalogue's own dated price where there is one, else that of the price library (SPEC L1, L3).

A model without a price is refused. Costs are exact decimals, rounded once a call to micros, halves away from zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy.orm import Session

from app.money import MICROS_PER_UNIT
from app.upstreams.dialect import Ceiling, Route
from app.upstreams.usage import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one model at one time, in the installation's currency. `version` says where it is from."""

    version: str
    ceiling: Ceiling
    _amount: Callable[[Usage], Decimal]
    _steps: tuple[int, ...]  # input tokens above which every token costs otherwise

    def cost(self, usage: Usage) -> int:
        """Micros for what was used: as the upstream says it charged, else by the price."""
        exact = self._amount(usage) if usage.told_cost is None else usage.told_cost
        return int((exact * MICROS_PER_UNIT).quantize(Decimal(1), rounding=ROUND_HALF_UP))

    def bound(self, input_tokens: int, max_output: int) -> int:
        """Micros that no call with at most so many tokens can cost more than."""
        raise NotImplementedError


def price(session: Session, route: Route, at: datetime, *, currency: str = "usd") -> Price:
    """The price in force. Raises UnknownModel, also where only dollars are known and this currency is another."""
    raise NotImplementedError
