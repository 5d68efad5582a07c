"""What a model costs: the catalogue's own dated price where there is one, else that of the price library (SPEC L1, L3).

A model without a price is refused. Costs are exact decimals, rounded once a call to micros, halves away from zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from functools import partial

from sqlalchemy.orm import Session

from app.catalogue import llm_prices
from app.llm import library_prices
from app.llm.rates import Rates
from app.money import MICROS_PER_UNIT
from app.upstreams.dialect import Ceiling, Route
from app.upstreams.routing import unknown
from app.upstreams.usage import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one model at one time, in the installation's currency. `version` says where it is from."""

    version: str
    rates: tuple[Rates, ...]  # the first from no input on, each further one above so many tokens of input
    amount: Callable[[Usage], Decimal]
    in_dollars: bool = True  # as upstreams are paid
    is_own: bool = False  # set in the catalogue

    @property
    def ceiling(self) -> Ceiling | None:
        """The most a token may cost, for an upstream that chooses among sellers by the price of small calls."""
        return Ceiling(self.rates[0].input, self.rates[0].output) if self.in_dollars else None

    def cost(self, usage: Usage) -> int:
        """Micros for what was used: by a price of our own, else exactly as the upstream says it charged, in dollars."""
        takes_told = self.in_dollars and not self.is_own
        exact = usage.told_cost if takes_told and usage.told_cost is not None else self.amount(usage)
        return int((exact * MICROS_PER_UNIT).quantize(Decimal(1), rounding=ROUND_HALF_UP))

    def bound(self, input_tokens: int, max_output: int) -> int:
        """Micros that no call with at most so many tokens can cost more than, whatever step its input ends up at."""
        dearest = Decimal(0)
        for rates, following in zip(self.rates, (*self.rates[1:], None), strict=True):
            if rates.above and input_tokens <= rates.above:
                break
            most = input_tokens if following is None else min(input_tokens, following.above)
            dearest = max(dearest, most * rates.dearest_input + max_output * rates.dearest_output)
        return int(dearest.quantize(Decimal(1), rounding=ROUND_CEILING))  # dollars a million are micros a token


def price(session: Session, route: Route, at: datetime, *, currency: str = "usd") -> Price:
    """The price in force. Raises UnknownModel, also where only dollars are known and this currency is another.

    Reads the catalogue, so within a transaction; the library is loaded with the first model that needs it.
    """
    own = llm_prices.in_force(session, route.model, at)
    if own is not None and own.currency == currency:
        rates = tuple(
            Rates.of_micros(*step)
            for step in ((0, own.input_micros, own.output_micros, own.cached_micros, own.written_micros), *own.steps)
        )
        by_rates = partial(_by_rates, rates)
        return Price(f"catalogue {own.day}", rates, by_rates, in_dollars=currency == "usd", is_own=True)
    found = library_prices.find(route, at) if currency == "usd" else None
    if found is None:
        raise unknown(route.model)
    return Price(found.version, found.rates, found.amount)


def _by_rates(rates: tuple[Rates, ...], usage: Usage) -> Decimal:
    """What the last step that the input is above takes for all of it."""
    return next(each for each in reversed(rates) if not each.above or usage.prompt > each.above).amount(usage)
