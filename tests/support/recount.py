"""An independent recount of usage: everything the program keeps about it, computed anew from events and the ledger.

Nothing of `app.metering` is asked but its tables, and each sum is made in plain Python from the rows themselves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ledger import tables
from app.metering.models import UsageAccrual, UsageCounter, UsageEvent, UsageOverage, UsagePeriod

Sums = tuple[int, int, int]  # units, units over, micros over


@dataclass
class Usage:
    """What one customer's raw events come to."""

    counters: dict[tuple[str, datetime, str, str], Sums] = field(default_factory=dict)  # meter, period, day, source
    periods: dict[tuple[str, datetime], Sums] = field(default_factory=dict)
    days: dict[tuple[str, datetime, str], int] = field(default_factory=dict)
    sources: dict[tuple[str, datetime, str], int] = field(default_factory=dict)


def from_events(session: Session, customer_id: str) -> Usage:
    """The counters as the events say they must be."""
    told = Usage()
    events = session.scalars(select(UsageEvent).where(UsageEvent.customer_id == customer_id))
    for event in events:
        assert event.day == event.occurred_at.date().isoformat(), "the day is the date it occurred on, in UTC"
        sums = (event.quantity, event.over, event.over_micros)
        _add(told.counters, (event.meter, event.period_start, event.day, event.source), sums)
        _add(told.periods, (event.meter, event.period_start), sums)
        for kept, name in ((told.days, event.day), (told.sources, event.source)):
            key = (event.meter, event.period_start, name)
            kept[key] = kept.get(key, 0) + event.quantity
    return told


def faults(session: Session, customer_id: str) -> list[str]:
    """Where what is kept differs from the recount, in sentences; none in good books."""
    told = from_events(session, customer_id)
    c, p = UsageCounter, UsagePeriod
    counters = {
        (row.meter, row.period_start, row.day, row.source): (row.quantity, row.over, row.over_micros)
        for row in session.scalars(select(c).where(c.customer_id == customer_id))
    }
    periods = {
        (row.meter, row.period_start): (row.used, row.over, row.over_micros)
        for row in session.scalars(select(p).where(p.customer_id == customer_id))
    }
    return [
        *_differences("counter", counters, told.counters),
        *_differences("period", periods, told.periods),
        *_overage_faults(session, customer_id, periods),
        *_accrual_faults(session, customer_id),
    ]


def _overage_faults(session: Session, customer_id: str, periods: dict[Any, Sums]) -> Iterable[str]:
    """The units by price add up to the period's, and cost what their price says."""
    o = UsageOverage
    sums: dict[tuple[str, datetime], list[int]] = defaultdict(lambda: [0, 0])
    for row in session.scalars(select(o).where(o.customer_id == customer_id)):
        if row.micros != row.units * row.unit_micros:
            yield f"{row.units} of {row.meter} at {row.unit_micros} are not {row.micros}"
        sums[row.meter, row.period_start][0] += row.units
        sums[row.meter, row.period_start][1] += row.micros
    over = {key: [over, micros] for key, (_, over, micros) in periods.items() if over}
    if over != dict(sums):
        yield f"overage by price {dict(sums)} is not that of the periods {over}"


def _accrual_faults(session: Session, customer_id: str) -> Iterable[str]:
    """What is held, or booked after the day, is what the wallet's units of the day cost, to the micro."""
    a, o = UsageAccrual, UsageOverage
    accruals = list(session.scalars(select(a).where(a.customer_id == customer_id)))
    owed: Counter[str] = Counter()
    for row in session.scalars(select(o).where(o.customer_id == customer_id, o.mode == "wallet")):
        owed[row.meter] += row.micros
    taken: Counter[str] = Counter()
    for row in accruals:
        taken[row.meter] += row.micros
        found = _entry(session, customer_id, row.entry_id) if row.entry_id else _hold(session, customer_id, row.hold_id)
        if found != row.micros:
            yield f"{row.meter} on {row.day} came to {row.micros} and the ledger has {found}"
    if +owed != +taken:
        yield f"the wallet's overage {dict(owed)} is not what was taken {dict(taken)}"


def _hold(session: Session, customer_id: str, hold_id: str) -> int | None:
    h = tables.holds
    row = session.execute(select(h.c.amount, h.c.state).where(h.c.customer_id == customer_id, h.c.id == hold_id)).one()
    return row.amount if row.state == "held" else None


def _entry(session: Session, customer_id: str, entry_id: str) -> int | None:
    leg, e = tables.legs, tables.entries
    kind = session.scalar(select(e.c.kind).where(e.c.customer_id == customer_id, e.c.id == entry_id))
    moved = session.scalar(
        select(leg.c.amount).where(
            leg.c.customer_id == customer_id, leg.c.entry_id == entry_id, leg.c.account == "wallet"
        )
    )
    return -moved if kind == "overage" and moved is not None else None


def _add(kept: dict[Any, Sums], key: Any, more: Sums) -> None:
    one, two, three = kept.get(key, (0, 0, 0))
    kept[key] = (one + more[0], two + more[1], three + more[2])


def _differences(what: str, kept: dict[Any, Any], told: dict[Any, Any]) -> Iterable[str]:
    for key in sorted({*kept, *told}, key=str):
        if kept.get(key) != told.get(key):
            yield f"the {what} {key} says {kept.get(key)} and the events {told.get(key)}"
