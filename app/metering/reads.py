"""Reading usage for pages, the API and checks: sums kept with every event, never the events themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session

from app.catalogue.models import Meter
from app.metering.models import UsageAccrual, UsageCounter, UsagePeriod
from app.metering.terms import Terms, terms_of
from app.subscriptions.periods import Period
from app.subscriptions.standing import Standing

_NOTHING = (0, 0, 0)


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
    customer_id, start = standing.customer_id, period_start or standing.period.start
    found = {row.meter: row for row in session.scalars(_rows(customer_id).where(UsagePeriod.period_start == start))}
    is_now = start == standing.period.start
    held = _held(session, customer_id) if is_now else {}
    span = standing.period if is_now else _span(found, start)
    if span is None:
        return []
    every = session.scalars(select(Meter).order_by(Meter.position, Meter.key))
    listed = [meter for meter in every if meter.key in found or (is_now and meter.retired_at is None)]
    if is_now:
        terms = terms_of(session, standing, [meter.key for meter in listed])
    else:
        terms = {key: Terms(row.allowance, row.mode, row.unit_micros) for key, row in found.items()}
    return [_meter(meter, found.get(meter.key), span, terms[meter.key], held.get(meter.key, 0)) for meter in listed]


def units(session: Session, standing: Standing) -> dict[str, int]:
    """Units counted in this period, by meter; meters nobody used are left out."""
    p = UsagePeriod
    mine = (p.customer_id == standing.customer_id, p.period_start == standing.period.start)
    return dict(session.execute(select(p.meter, p.used).where(*mine).order_by(p.meter)).all())


def days(session: Session, customer_id: str, meter: str, period_start: datetime) -> list[DayUse]:
    """Days with usage, oldest first; a late event's day may lie before the period's start."""
    c = UsageCounter
    of_period = _counters_of(customer_id, period_start, meter)
    rows = session.execute(select(c.day, *_sums()).where(*of_period).group_by(c.day).order_by(c.day))
    return [DayUse(date.fromisoformat(day), int(units), int(over), int(micros)) for day, units, over, micros in rows]


def sources(
    session: Session, customer_id: str, meter: str, period_start: datetime, *, limit: int = 20
) -> list[SourceUse]:
    """The sources with the most units of a period, biggest first."""
    c, units = UsageCounter, func.sum(UsageCounter.quantity)
    rows = session.execute(
        select(c.source, *_sums())
        .where(*_counters_of(customer_id, period_start, meter))
        .group_by(c.source)
        .order_by(units.desc(), c.source)
        .limit(limit)
    )
    return [SourceUse(source, int(units), int(over), int(micros)) for source, units, over, micros in rows]


def periods(session: Session, customer_id: str, *, limit: int = 24) -> list[PeriodUse]:
    """The newest `limit` rows, newest period first, the meters of each by key."""
    p = UsagePeriod
    rows = session.scalars(_rows(customer_id).order_by(p.period_start.desc(), p.meter).limit(limit))
    return [
        PeriodUse(
            row.meter, row.period_start, row.period_end, row.used, row.over, row.over_micros, row.allowance, row.mode,
            row.unit_micros, row.closed_at,
        )
        for row in rows
    ]  # fmt: skip


def daily(session: Session, customer_id: str, since: date) -> list[MeterDay]:
    """Units by meter and day since a day, over all periods and sources, oldest first."""
    c = UsageCounter
    rows = session.execute(
        select(c.meter, c.day, func.sum(c.quantity))
        .where(c.customer_id == customer_id, c.day >= since.isoformat())
        .group_by(c.meter, c.day)
        .order_by(c.day, c.meter)
    )
    return [MeterDay(meter, date.fromisoformat(day), int(units)) for meter, day, units in rows]


def counters(
    session: Session,
    customer_id: str,
    period_start: datetime,
    *,
    after: tuple[str, date, str] | None = None,
    limit: int = 1000,
) -> list[CounterRow]:
    """The counters of a period, by meter, day and source; `after` is the last one had, to go on from."""
    c = UsageCounter
    wanted = select(c.meter, c.day, c.source, c.quantity, c.over, c.over_micros)
    wanted = wanted.where(c.customer_id == customer_id, c.period_start == period_start)
    if after is not None:
        wanted = wanted.where(tuple_(c.meter, c.day, c.source) > (after[0], after[1].isoformat(), after[2]))
    rows = session.execute(wanted.order_by(c.meter, c.day, c.source).limit(limit))
    return [
        CounterRow(row.meter, date.fromisoformat(row.day), row.source, row.quantity, row.over, row.over_micros)
        for row in rows
    ]


def _rows(customer_id: str) -> Select[UsagePeriod]:
    return select(UsagePeriod).where(UsagePeriod.customer_id == customer_id)


def _held(session: Session, customer_id: str) -> dict[str, int]:
    """What is held of the wallet for days that are not booked yet, by meter, in micros."""
    a = UsageAccrual
    open_still = (a.customer_id == customer_id, a.entry_id.is_(None))
    rows = session.execute(select(a.meter, func.sum(a.micros)).where(*open_still).group_by(a.meter))
    return {meter: int(micros) for meter, micros in rows}


def _span(found: dict[str, UsagePeriod], start: datetime) -> Period | None:
    end = max((row.period_end for row in found.values()), default=None)
    return None if end is None else Period(0, start, end)


def _meter(meter: Meter, row: UsagePeriod | None, span: Period, terms: Terms, held: int) -> MeterNow:
    used, over, micros = (row.used, row.over, row.over_micros) if row else _NOTHING
    return MeterNow(
        meter.key, meter.name, meter.unit, span, terms.allowance, used, over, micros, terms.mode, terms.unit_micros,
        held, row.closed_at if row else None,
    )  # fmt: skip


def _sums() -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    c = UsageCounter
    return func.sum(c.quantity), func.sum(c.over), func.sum(c.over_micros)


def _counters_of(customer_id: str, period_start: datetime, meter: str) -> tuple[ColumnElement[bool], ...]:
    c = UsageCounter
    return c.customer_id == customer_id, c.meter == meter, c.period_start == period_start
