"""Recording usage: a batch of events is counted, priced and refused in order, in one short transaction (SPEC U1-U4).

Locked in this order: the customer's usage row, then the wallet's ledger account.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock, ledger
from app.catalogue import reads, upgrades
from app.catalogue.models import Meter
from app.catalogue.terms import PlanTerms
from app.errors import Refusal
from app.metering import telling, write
from app.metering.deciding import Batch, Counted, Customer, decide
from app.metering.events import NewEvent, Recorded, Refused
from app.metering.models import UsagePeriod, UsageSettings
from app.metering.tallies import GRACE, Tallies, Tally
from app.metering.terms import Terms, terms_of
from app.subscriptions import standing
from app.subscriptions.standing import Standing
from app.wallet.accounts import wallet_of

Taken = Counted | Refusal | None

_KEPT = timedelta(days=3650)  # a day's hold is settled, never left to expire

# Put together once: each batch runs them.
_P = UsagePeriod
_METERS_AND_OPEN = select(
    Meter.key, Meter.name, _P.period_start, _P.period_end, _P.used, _P.over, _P.over_micros, _P.allowance, _P.mode,
    _P.unit_micros, _P.closed_at,
).outerjoin(
    _P, and_(_P.customer_id == bindparam("customer"), _P.meter == Meter.key, _P.period_end > bindparam("ended"))
)  # fmt: skip
_MINE = (
    select(UsageSettings.spend_cap_micros).where(UsageSettings.customer_id == bindparam("customer")).with_for_update()
)


def record(session: Session, customer_id: str, events: Sequence[NewEvent]) -> Recorded:
    """Count these events, each once per id. A refused one leaves no mark, and none of the others is kept from counting.

    Fixed in the number of its statements, whatever the number of events: a few more where units are paid from the
    wallet, for each such meter, and where a notice is due.
    """
    return summary(events, take(session, customer_id, events))


def take(session: Session, customer_id: str, events: Sequence[NewEvent]) -> list[Taken]:
    """The same, and what became of each event, in order: counted, refused, or None for a duplicate."""
    if not events:
        return []
    cap = lock(session, customer_id)
    now = clock.now()  # read under the lock: no event is recorded on a day, or in a period, that was closed meanwhile
    who = standing.of(session, customer_id)
    meters, found = _found(session, customer_id, now)
    terms = terms_of(session, who, meters.keys() & {event.meter for event in events})
    tallies = Tallies(found, terms, now, who.period, lambda instant: standing.period_of(who, instant))
    batch = Batch(_customer(session, who, cap), tallies, meters, now)
    seen = write.known_ids(session, customer_id, [event.id for event in events if event.id.isprintable()])
    taken = [_taken(batch, event, seen) for event in events]
    counted = [one for one in taken if isinstance(one, Counted)]
    if counted:
        _write(session, who, counted, batch, now)
    telling.crossed(session, customer_id, batch)
    telling.capped(session, customer_id, batch, cap)
    return taken


def summary(events: Sequence[NewEvent], taken: Sequence[Taken]) -> Recorded:
    """What became of these events, counted up."""
    refused = [Refused(event.id, one) for event, one in zip(events, taken, strict=True) if isinstance(one, Refusal)]
    duplicates = sum(one is None for one in taken)
    return Recorded(len(taken) - duplicates - len(refused), duplicates, tuple(refused))


def lock(session: Session, customer_id: str) -> int | None:
    """Keep others from counting for this customer until the commit; their spend cap. Makes the row where none is."""
    found = session.execute(_MINE, {"customer": customer_id}).one_or_none()
    if found is None:
        session.execute(insert(UsageSettings).values(customer_id=customer_id).on_conflict_do_nothing())
        found = session.execute(_MINE, {"customer": customer_id}).one()
    return found[0]


def _taken(batch: Batch, event: NewEvent, seen: set[str]) -> Taken:
    """An id may come twice in one body as well: the second is a duplicate, unless the first was refused."""
    if event.id in seen:
        return None
    decided = decide(batch, event)
    if isinstance(decided, Counted):
        seen.add(event.id)
    return decided


def _write(session: Session, who: Standing, counted: list[Counted], batch: Batch, now: datetime) -> None:
    customer_id, currency = who.customer_id, _currency(who)
    held = _held(session, customer_id, currency, counted, now, batch)
    parts = (
        write.events(customer_id, counted, now),
        write.counters(customer_id, counted),
        write.periods(customer_id, batch.tallies.touched()),
        write.overage(customer_id, counted, currency),
        write.accruals(held),
    )
    write.write(session, parts)


def _held(
    session: Session, customer_id: str, currency: str, counted: list[Counted], now: datetime, batch: Batch
) -> list[write.Row]:
    """Hold what the wallet pays, one hold for each meter and day of recording; rows of what was added to them."""
    sums: dict[str, list[int]] = {}
    for one in counted:
        if one.over_micros and one.tally.terms.mode == "wallet":
            kept = sums.setdefault(one.event.meter, [0, 0])
            kept[0] += one.over
            kept[1] += one.over_micros
    day, rows = now.date().isoformat(), []
    for meter, (units, micros) in sorted(sums.items()):
        hold = ledger.raise_hold(
            session,
            wallet_of(customer_id, currency),
            micros,
            key=hold_key(meter, day),
            expires_at=now + _KEPT,
            data={"description": f"{batch.name_of(meter)} beyond the plan", "meter": meter, "day": day},
        )
        rows.append((customer_id, meter, day, units, micros, currency, hold.id))
    return rows


def hold_key(meter: str, day: str) -> str:
    return f"overage:{meter}:{day}"


def _customer(session: Session, who: Standing, cap: int | None) -> Customer:
    offered: list[tuple[PlanTerms, ...]] = []

    def upgrade(meter: str, needed: int) -> PlanTerms | None:
        if not offered:
            offered.append(reads.offered_plans(session))
        return upgrades.cheapest(offered[0], "allowance", meter, needed, but=who.tier)

    return Customer(
        plan=who.plan,
        currency=_currency(who),
        is_restricted=who.status == "restricted",
        spend_cap=cap,
        wallet=lambda: ledger.lock_account(session, wallet_of(who.customer_id, _currency(who))),
        upgrade=upgrade,
    )


def _currency(who: Standing) -> str:
    return who.plan.currency if who.plan else "usd"


def _found(session: Session, customer_id: str, now: datetime) -> tuple[dict[str, str], list[Tally]]:
    """The meters there are, key -> name, and the tallies of every period that may still take an event."""
    rows = session.execute(_METERS_AND_OPEN, {"customer": customer_id, "ended": now - GRACE}).all()
    tallies = [
        Tally(
            row.key, row.period_start, row.period_end, Terms(row.allowance, row.mode, row.unit_micros), row.used,
            row.over, row.over_micros, row.closed_at is not None, row.used, row.over, row.over_micros,
        )
        for row in rows
        if row.period_start is not None
    ]  # fmt: skip
    return {row.key: row.name for row in rows}, tallies
