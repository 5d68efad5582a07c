"""Closing: a day's overage becomes one ledger entry per meter, and a period's the lines of one invoice (SPEC U3).

Each is done once, whoever asks and however late: under the customer's usage row, where what is done is marked as done
in the same transaction. What happens to the invoice afterwards is the caller's matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, invoices, ledger
from app.catalogue.models import Meter
from app.invoices import Invoice, NewLine
from app.metering.found import lock
from app.metering.models import UsageAccrual, UsageOverage, UsagePeriod
from app.metering.tallies import GRACE
from app.money import micros_per_minor, round_half_away
from app.subscriptions import standing
from app.subscriptions.periods import Period
from app.wallet.accounts import revenue

DAY_GRACE = timedelta(minutes=5)  # after midnight: another machine's clock may still show the day before


def customers_with_days(session: Session, limit: int) -> Sequence[str]:
    """Customers with overage of days that are over and not booked."""
    due = select(UsageAccrual.customer_id).where(UsageAccrual.entry_id.is_(None), UsageAccrual.day < _today())
    return session.scalars(due.group_by(UsageAccrual.customer_id).limit(limit)).all()


def book_days(session: Session, customer_id: str) -> int:
    """Settle what is held for days that are over, one `overage` entry for each meter and day; how many that were."""
    lock(session, customer_id)
    a = UsageAccrual
    due = select(a).where(a.customer_id == customer_id, a.entry_id.is_(None), a.day < _today())
    found = session.scalars(due.order_by(a.day, a.meter).execution_options(populate_existing=True)).all()
    names = _names(session) if found else {}
    for row in found:
        told = {"meter": row.meter, "day": row.day, "units": row.units}
        day = date.fromisoformat(row.day)
        words = f"{names.get(row.meter, row.meter)} beyond the plan: {row.units:,} on {day.day} {day:%b} {day.year}"
        _, entry = ledger.settle(
            session,
            customer_id,
            row.hold_id,
            row.micros,
            kind="overage",
            to=revenue(row.currency),
            data={**told, "description": words},
        )
        assert entry is not None, "a day with overage cost something"
        row.entry_id, row.settled_at = entry.id, clock.now()
    session.flush()
    return len(found)


def periods_due(session: Session, limit: int) -> list[tuple[str, datetime]]:
    """Customers and the starts of their periods that are over, with the grace for late events, and not closed."""
    p = UsagePeriod
    due = select(p.customer_id, p.period_start).where(p.closed_at.is_(None), p.period_end <= clock.now() - GRACE)
    rows = session.execute(due.group_by(p.customer_id, p.period_start).order_by(p.period_start).limit(limit))
    return [(customer_id, start) for customer_id, start in rows]


def close_period(
    session: Session, customer_id: str, start: datetime, *, subscription_id: str | None = None
) -> list[Invoice] | None:
    """Close it for every meter, and make its invoice where something is to be invoiced: finalised, to be collected.

    One invoice (one for each currency, should that have changed) with a line for each meter and unit price, each
    rounded once; none where every line rounds to nothing. None where another worker was first.
    """
    lock(session, customer_id)
    p = UsagePeriod
    mine = select(p).where(p.customer_id == customer_id, p.period_start == start, p.closed_at.is_(None))
    rows = session.scalars(mine.execution_options(populate_existing=True)).all()
    running = standing.of(session, customer_id).period
    if running.start == start:  # its end may have been moved since the last event, as that of a trial
        for row in rows:
            row.period_end = running.end
        session.flush()
    ends = [row.period_end for row in rows]
    if not rows or max(ends) + GRACE > clock.now():
        return None
    for row in rows:
        row.closed_at = clock.now()
    session.flush()
    made = []
    for currency, overage in groupby(_invoiced(session, customer_id, start), key=lambda one: one.currency):
        invoice = _invoice(session, customer_id, Period(0, start, max(ends)), currency, overage, subscription_id)
        made += [invoice] if invoice else []
    return made


def _invoice(
    session: Session,
    customer_id: str,
    period: Period,
    currency: str,
    overage: Iterable[UsageOverage],
    subscription_id: str | None,
) -> Invoice | None:
    names = _names(session)
    lines = [
        NewLine(
            f"{names.get(one.meter, one.meter)} beyond the plan",
            quantity=one.units,
            unit_micros=one.unit_micros,
            period=period,
        )
        for one in overage
    ]
    if not any(round_half_away(line.exact(currency), micros_per_minor(currency)) for line in lines):
        return None
    invoice = invoices.make(
        session,
        customer_id=customer_id,
        key=f"usage:{clock.timestamp(period.start)}:{currency}",
        reason="usage",
        currency=currency,
        lines=lines,
        subscription_id=subscription_id,
        period=period,
    )
    assert invoice.status == "draft", "a period is closed once"
    return invoices.finalise(session, invoice)


def _invoiced(session: Session, customer_id: str, start: datetime) -> Sequence[UsageOverage]:
    o = UsageOverage
    mine = (o.customer_id == customer_id, o.period_start == start, o.mode == "invoice", o.unit_micros > 0)
    return session.scalars(select(o).where(*mine).order_by(o.currency, o.meter, o.unit_micros)).all()


def _names(session: Session) -> dict[str, str]:
    return dict(session.execute(select(Meter.key, Meter.name)).all())


def _today() -> str:
    return (clock.now() - DAY_GRACE).date().isoformat()
