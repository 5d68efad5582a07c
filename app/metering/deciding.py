"""Deciding a batch: each event in order is counted whole or refused whole, against what those before it left (U3, R8).

Pure but for what it asks lazily: the terms of a meter, what the wallet has, which plan would allow more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.catalogue.terms import PlanTerms
from app.errors import Invalid, Refusal
from app.ledger import MAX_AMOUNT, Balance
from app.metering import refusals
from app.metering.events import NewEvent
from app.metering.refusals import Beyond
from app.metering.tallies import Tallies, Tally

AHEAD = timedelta(minutes=5)  # how far the sender's clock may run before ours
MOST = 10**12  # units in one event
_MOST_IN_ALL = 10**18  # keeps every sum of a period within 64 bits
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST_ID, _LONGEST_SOURCE = 255, 200


@dataclass(frozen=True, slots=True)
class Counted:
    """An event that counts: in this tally, `over` of its units beyond the allowance, for `over_micros` together."""

    event: NewEvent
    tally: Tally
    occurred_at: datetime
    late: bool
    over: int
    over_micros: int

    @property
    def day(self) -> str:
        return self.occurred_at.date().isoformat()


@dataclass(frozen=True, slots=True)
class Customer:
    """What a batch must know of its customer. Money in micros; the `wallet` is asked for once, under its lock."""

    plan: PlanTerms | None
    currency: str
    is_restricted: bool
    spend_cap: int | None
    wallet: Callable[[], Balance]
    upgrade: Callable[[str, int], PlanTerms | None]


class Batch:
    """Events being decided at one instant."""

    def __init__(self, customer: Customer, tallies: Tallies, meters: Mapping[str, str], now: datetime) -> None:
        """`meters`: those of the catalogue, key -> name."""
        self.tallies = tallies
        self.capped: dict[datetime, Tally] = {}  # by period: refused by the spend cap
        self._customer, self._meters, self._now = customer, meters, now
        self._left: int | None = None  # of the wallet

    @property
    def currency(self) -> str:
        return self._customer.currency

    def name_of(self, meter: str) -> str:
        return self._meters[meter]

    def take(self, event: NewEvent) -> Counted:
        """Count the event. Raises the Refusal, and then it left no mark."""
        occurred_at = self._check(event)
        period, late = self.tallies.place(occurred_at)
        tally = self.tallies.of(event.meter, period)
        if tally.used + event.quantity > _MOST_IN_ALL:
            raise refusals.too_much()
        over = tally.beyond(event.quantity)
        cost = self._pay(tally, event, over) if over else 0
        tally.add(event.quantity, over, cost)
        return Counted(event, tally, occurred_at, late, over, cost)

    def _check(self, event: NewEvent) -> datetime:
        """When it occurred, in UTC. A clock that runs a little fast is put back: nothing happened later than now."""
        if event.meter not in self._meters:
            raise refusals.unknown_meter(event.meter)
        if not 0 < len(event.id) <= _LONGEST_ID or not event.id.isprintable():
            raise Invalid(f"An id has 1 to {_LONGEST_ID} printable characters.", field="id")
        if len(event.source) > _LONGEST_SOURCE or not event.source.isprintable():
            raise Invalid(f"A source has up to {_LONGEST_SOURCE} printable characters.", field="source")
        if not 0 < event.quantity <= MOST:
            raise Invalid(f"A quantity is a whole number from 1 to {MOST:,}.", field="quantity")
        occurred_at = event.occurred_at or self._now
        if occurred_at > self._now + AHEAD:
            raise Invalid("This lies in the future. Check the clock it was read from.", field="occurred_at")
        if occurred_at < _EARLIEST:
            raise Invalid("This is before the year 2000. Check the clock it was read from.", field="occurred_at")
        if self._customer.is_restricted:
            raise refusals.restricted(event.meter, self._customer.plan)
        return min(occurred_at, self._now).astimezone(UTC)

    def _pay(self, tally: Tally, event: NewEvent, over: int) -> int:
        """What the units beyond the allowance cost, taken from what is left of cap and wallet. Raises the Refusal."""
        who, mode = self._customer, tally.terms.mode
        if mode == "block":
            raise refusals.blocked(self._beyond(tally, event))
        cost = over * (tally.terms.unit_micros or 0)
        if not cost:
            return 0
        spent = self.tallies.spent(tally.start)
        if who.spend_cap is not None and spent + cost > who.spend_cap:
            self.capped[tally.start] = tally
            raise refusals.cap_reached(self._beyond(tally, event), cost, spent, who.spend_cap, who.currency)
        if mode == "wallet":
            self._take_from_wallet(tally, event, cost)
        elif spent + cost > MAX_AMOUNT:
            raise refusals.too_much()
        return cost

    def _take_from_wallet(self, tally: Tally, event: NewEvent, cost: int) -> None:
        if self._left is None:
            wallet = self._customer.wallet()
            if wallet.frozen:
                raise refusals.wallet_frozen(self._beyond(tally, event))
            self._left = wallet.available
        if cost > self._left:
            raise refusals.wallet_short(self._beyond(tally, event), cost, self._left, self._customer.currency)
        self._left -= cost

    def _beyond(self, tally: Tally, event: NewEvent) -> Beyond:
        upgrade = self._customer.upgrade(event.meter, tally.used + event.quantity)
        return Beyond(tally, self._meters[event.meter], self._customer.plan, upgrade)


def decide(batch: Batch, event: NewEvent) -> Counted | Refusal:
    try:
        return batch.take(event)
    except Refusal as refusal:
        return refusal
