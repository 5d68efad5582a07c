"""Reading usage for pages, the API and checks: sums kept with every event, never the events themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.subscriptions.periods import Period
from app.subscriptions.standing import Standing


@dataclass(frozen=True, slots=True)
class MeterNow:
    """One meter over one period. `allowance` None is no limit. `held_micros`: taken from the wallet, not yet booked.

    `over` units have cost `over_micros`, by the terms of their moment; the next one costs `unit_micros` by `mode`.
    """

    key: str
    name: str
    unit: str
    period: Period
    allowance: int | None
    used: int
    over: int
    over_micros: int
    mode: str | None
    unit_micros: int | None
    held_micros: int
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DayUse:
    day: date
    quantity: int
    over: int
    over_micros: int


@dataclass(frozen=True, slots=True)
class SourceUse:
    source: str
    quantity: int
    over: int
    over_micros: int


@dataclass(frozen=True, slots=True)
class MeterDay:
    meter: str
    day: date
    quantity: int


@dataclass(frozen=True, slots=True)
class PeriodUse:
    """A row of usage_period."""

    meter: str
    period_start: datetime
    period_end: datetime
    used: int
    over: int
    over_micros: int
    allowance: int | None
    mode: str | None
    unit_micros: int | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CounterRow:
    meter: str
    day: date
    source: str
    quantity: int
    over: int
    over_micros: int


def meters(session: Session, standing: Standing, *, period_start: datetime | None = None) -> list[MeterNow]:
    """Every meter on offer, in the catalogue's order, and any other one used in the period.

    Now by the customer's terms; a past `period_start` by the terms that period ended on.
    """
    raise NotImplementedError


def days(session: Session, customer_id: str, meter: str, period_start: datetime) -> list[DayUse]:
    """Days with usage, oldest first; a late event's day may lie before the period's start."""
    raise NotImplementedError


def sources(
    session: Session, customer_id: str, meter: str, period_start: datetime, *, limit: int = 20
) -> list[SourceUse]:
    """The sources with the most units of a period, biggest first."""
    raise NotImplementedError


def periods(session: Session, customer_id: str, *, limit: int = 24) -> list[PeriodUse]:
    """The newest `limit` rows, newest period first, the meters of each by key."""
    raise NotImplementedError


def daily(session: Session, customer_id: str, since: date) -> list[MeterDay]:
    """Units by meter and day since a day, over all periods and sources, oldest first."""
    raise NotImplementedError


def counters(
    session: Session,
    customer_id: str,
    period_start: datetime,
    *,
    after: tuple[str, date, str] | None = None,
    limit: int = 1000,
) -> list[CounterRow]:
    """The counters of a period, by meter, day and source; `after` is the last one had, to go on from."""
    raise NotImplementedError
