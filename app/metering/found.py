"""What a batch is decided by, found for many customers at once: their rows under lock, their terms, how far they are.

One round trip for the rows of all of them; what the catalogue says is remembered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from sqlalchemy.orm import Session

from app import clock, direct
from app.catalogue import memory
from app.catalogue.memory import Known
from app.catalogue.terms import PlanTerms
from app.direct import Call, Direct
from app.metering import write
from app.metering.tallies import GRACE, Tally
from app.metering.terms import Terms
from app.subscriptions import overrides, standing
from app.subscriptions.overrides import Negotiated
from app.subscriptions.periods import Period
from app.subscriptions.standing import Running

_RUNNING = len(Running._fields)
_NEGOTIATED = ("plan_id", "monthly_minor", "yearly_minor", "limits")
_TALLY = (
    "meter", "period_start", "period_end", "used", "over", "over_micros", "allowance", "mode", "unit_micros",
    "closed_at",
)  # fmt: skip
_FOUND = f"""
SELECT u.id, (SELECT stamp FROM catalogue_stamp WHERE id = 1), {", ".join(f"s.{name}" for name in Running._fields)},
o.number, {", ".join(f"o.{name}" for name in _NEGOTIATED)}, {", ".join(f"p.{name}" for name in _TALLY)}
FROM {{given}} u
LEFT JOIN subscription s ON s.customer_id = u.id AND s.ended_at IS NULL
LEFT JOIN plan_override o ON o.customer_id = u.id AND o.number =
  (SELECT max(n.number) FROM plan_override n WHERE n.customer_id = u.id AND n.ended_at IS NULL)
LEFT JOIN usage_period p ON p.customer_id = u.id AND p.period_end > {{ended}}
"""  # noqa: S608 - names of ours
_FOUND_SQLITE = _FOUND.format(given="(SELECT value AS id FROM json_each(?))", ended="?")
_FOUND_POSTGRESQL = _FOUND.format(given="(SELECT unnest(%s::text[]) AS id)", ended="%s")

_CAPS = "SELECT customer_id, spend_cap_micros FROM usage_settings WHERE customer_id {}"
_CAPS_SQLITE = _CAPS.format("IN (SELECT value FROM json_each(?))")
_CAPS_POSTGRESQL = _CAPS.format("= ANY(%s) ORDER BY customer_id FOR UPDATE")
_OPEN = "INSERT INTO usage_settings (customer_id) SELECT {} ON CONFLICT DO NOTHING"
_OPEN_SQLITE = _OPEN.format("value FROM json_each(?) WHERE true")
_OPEN_POSTGRESQL = _OPEN.format("unnest(%s::text[])")


@dataclass(slots=True)
class Found:
    """One customer, as they stand at this instant. `spend_cap` in micros.

    `tallies`: those of every period that may still take an event. `known`: ids of events that were counted before.
    """

    plan: PlanTerms | None
    is_restricted: bool
    period: Period
    subscription: Running | None
    catalogue: Known
    spend_cap: int | None
    tallies: list[Tally] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    @property
    def currency(self) -> str:
        return self.plan.currency if self.plan else "usd"

    def period_of(self, instant: datetime) -> Period:
        return standing.period_of(self.subscription, instant)


def lock(session: Session, customer_id: str) -> int | None:
    """Keep others from counting for this customer until the commit; their spend cap. Makes the row where none is."""
    db = direct.of(session)
    make, caps = _locking(db, [customer_id])
    [found] = db.together([caps])
    if not found:
        _, found = db.together([make, caps])
    [(_, cap)] = found
    return None if cap is None else int(cap)


def find(session: Session, db: Direct, ids: Mapping[str, Sequence[str]]) -> tuple[datetime, dict[str, Found]]:
    """The instant, and how these customers stand at it, under their locks; with those of these events that they have.

    `ids` by customers in ascending order, which is the order of locking.
    """
    customers = list(ids)
    make, caps = _locking(db, customers)
    # A row that is there may be locked at once. Rows made between locks on others would be locked out of order.
    makes = [make] if len(customers) > 1 and not db.is_sqlite else []
    rows = [_looking(db, customers), *write.looking(db, ids)]
    results = db.together([*makes, caps, *rows])
    if len(results[len(makes)]) < len(customers):
        makes = [make]
        results = db.together([*makes, caps, *rows])
    # Read under the locks: no event is recorded on a day, or in a period, that was closed meanwhile.
    now = clock.now()
    locked, standings, *known = results[len(makes) :]
    found = _found(session, dict(locked), standings, now)
    for customer_id, event_id in chain.from_iterable(known):
        found[customer_id].known.add(event_id)
    return now, found


def _locking(db: Direct, customers: Sequence[str]) -> tuple[Call, Call]:
    """What makes the rows that are locked, and what locks them and tells their spend caps."""
    if db.is_sqlite:
        given = (json.dumps(customers),)
        return (_OPEN_SQLITE, given), (_CAPS_SQLITE, given)
    return (_OPEN_POSTGRESQL, (customers,)), (_CAPS_POSTGRESQL, (customers,))


def _looking(db: Direct, customers: Sequence[str]) -> Call:
    ended = clock.now() - GRACE  # before the lock: a period too many is found rather than one too few
    if db.is_sqlite:
        return _FOUND_SQLITE, (json.dumps(customers), write.as_text(ended))
    return _FOUND_POSTGRESQL, (customers, ended)


def _found(session: Session, caps: Mapping[str, int | None], rows: Sequence[Any], now: datetime) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for row in rows:
        customer = found.get(row[0])
        if customer is None:
            customer = found[row[0]] = _standing(session, row, caps[row[0]], now)
        if row[-len(_TALLY)] is not None:
            customer.tallies.append(_tally(row[-len(_TALLY) :]))
    return found


def _standing(session: Session, row: Sequence[Any], cap: int | None, now: datetime) -> Found:
    """As `standing.of`, from the rows and the remembered catalogue."""
    catalogue = memory.at(session, row[1])
    running = _running(row[2 : 2 + _RUNNING])
    if running is None or standing.is_over(running, now):
        running, plan, status, period = None, catalogue.free_plan, "free", standing.period_of(None, now)
    else:
        plan, status = catalogue.version(session, running.plan_id, running.version), standing.status_at(running, now)
        period = standing.allowance_period(running, now)
    number, *negotiated = row[2 + _RUNNING : 3 + _RUNNING + len(_NEGOTIATED)]
    if plan is not None and number is not None:
        plan = overrides.laid_over(plan, _negotiated(*negotiated))
    return Found(plan, status == "restricted", period, running, catalogue, cap)


def _running(columns: Sequence[Any]) -> Running | None:
    if columns[0] is None:
        return None
    given = Running(*columns)
    return given._replace(
        anchor_at=_instant(given.anchor_at),
        period_start=_instant(given.period_start),
        period_end=_instant(given.period_end),
        cancel_at_period_end=bool(given.cancel_at_period_end),
        grace_ends_at=given.grace_ends_at and _instant(given.grace_ends_at),
        started_at=_instant(given.started_at),
    )


def _negotiated(plan_id: str | None, monthly: int | None, yearly: int | None, limits: Any) -> Negotiated:
    return Negotiated(plan_id, monthly, yearly, json.loads(limits) if isinstance(limits, str) else limits)


def _tally(row: Sequence[Any]) -> Tally:
    meter, start, end, used, over, over_micros, allowance, mode, unit_micros, closed_at = row
    terms, figures = Terms(allowance, mode, unit_micros), (used, over, over_micros)
    return Tally(meter, _instant(start), _instant(end), terms, *figures, closed_at is not None, *figures)


def _instant(given: datetime | str) -> datetime:
    """A time as the driver gives it, in UTC: SQLite has no type for times."""
    return _parsed(given) if isinstance(given, str) else given.astimezone(UTC)


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
