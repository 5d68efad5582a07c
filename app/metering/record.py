"""Recording usage: a batch of events is counted, priced and refused in order, in one short transaction (SPEC U1-U4).

A batch may have events of several customers: each is decided by itself, and all are written together. Locked in this
order: the customers' usage rows, then the wallets' ledger accounts, both by ascending customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app import direct, ledger
from app.catalogue import upgrades
from app.errors import Refusal
from app.metering import found, telling, write
from app.metering.deciding import Batch, Counted, Customer, decide
from app.metering.events import NewEvent, Recorded, Refused
from app.metering.found import Found
from app.metering.tallies import Tallies
from app.metering.terms import by_plan
from app.wallet.accounts import wallet_of

Taken = Counted | Refusal | None

_KEPT = timedelta(days=3650)  # a day's hold is settled, never left to expire


def record(session: Session, customer_id: str, events: Sequence[NewEvent]) -> Recorded:
    """Count these events, each once per id. A refused one leaves no mark, and none of the others is kept from counting.

    Fixed in the number of its statements, whatever the number of events: a few more where units are paid from the
    wallet, for each such meter, and where a notice is due.
    """
    return summary(events, take(session, {customer_id: events})[customer_id])


def take(session: Session, events: Mapping[str, Sequence[NewEvent]]) -> dict[str, list[Taken]]:
    """The same for several customers, and what became of each event, in order: counted, refused, or None for a
    duplicate."""
    customers = sorted(customer_id for customer_id, mine in events.items() if mine)
    taken: dict[str, list[Taken]] = {customer_id: [] for customer_id in events}
    if not customers:
        return taken
    db = direct.of(session)
    ids = {each: [event.id for event in events[each] if event.id.isprintable()] for each in customers}
    now, standings = found.find(session, db, ids)
    parts: list[write.Part] = []
    for customer_id in customers:
        who = standings[customer_id]
        batch = _batch(session, customer_id, who, events[customer_id], now)
        mine = taken[customer_id] = [_taken(batch, event, who.known) for event in events[customer_id]]
        counted = [one for one in mine if isinstance(one, Counted)]
        if counted:
            parts += _parts(session, customer_id, who.currency, counted, batch, now)
        telling.crossed(session, customer_id, batch)
        telling.capped(session, customer_id, batch, who.spend_cap)
    write.write(db, parts)
    return taken


def summary(events: Sequence[NewEvent], taken: Sequence[Taken]) -> Recorded:
    """What became of these events, counted up."""
    refused = [Refused(event.id, one) for event, one in zip(events, taken, strict=True) if isinstance(one, Refusal)]
    duplicates = sum(one is None for one in taken)
    return Recorded(len(taken) - duplicates - len(refused), duplicates, tuple(refused))


def _taken(batch: Batch, event: NewEvent, seen: set[str]) -> Taken:
    """An id may come twice in one body as well: the second is a duplicate, unless the first was refused."""
    if event.id in seen:
        return None
    decided = decide(batch, event)
    if isinstance(decided, Counted):
        seen.add(event.id)
    return decided


def _parts(
    session: Session, customer_id: str, currency: str, counted: list[Counted], batch: Batch, now: datetime
) -> list[write.Part]:
    held = _held(session, customer_id, currency, counted, now, batch)
    return [
        write.events(customer_id, counted, now),
        write.counters(customer_id, counted),
        write.periods(customer_id, batch.tallies.touched()),
        write.overage(customer_id, counted, currency),
        write.accruals(held),
    ]


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


def _batch(session: Session, customer_id: str, who: Found, events: Sequence[NewEvent], now: datetime) -> Batch:
    catalogue = who.catalogue
    meters = catalogue.meters.keys() & {event.meter for event in events}
    terms = by_plan(who.plan, meters, lambda: catalogue.offered)
    tallies = Tallies(who.tallies, terms, now, who.period, who.period_of)
    tier = who.plan.key if who.plan else "free"
    customer = Customer(
        plan=who.plan,
        currency=who.currency,
        is_restricted=who.is_restricted,
        spend_cap=who.spend_cap,
        wallet=lambda: ledger.lock_account(session, wallet_of(customer_id, who.currency)),
        upgrade=lambda meter, needed: upgrades.cheapest(catalogue.offered, "allowance", meter, needed, but=tier),
    )
    return Batch(customer, tallies, catalogue.meters, now)
