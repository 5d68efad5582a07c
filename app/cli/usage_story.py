"""What the demo's people use: a month and a half of views in their stores, reported as the host product would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select

from app import metering
from app.catalogue import reads
from app.catalogue.models import Meter
from app.cli.past import Happening, Past
from app.db import transaction
from app.entitlements import resources
from app.metering import NewEvent
from app.subscriptions import overrides
from app.subscriptions.overrides import Negotiated
from app.subscriptions.periods import anchored

METER, STORES = "views", "stores"
HISTORY = 45  # days
FIVE = 5  # views, which are a cent: what the demo shows are whole cents
WEEK = (189, 198, 207, 211, 224, 96, 90)  # how busy its days are, Monday first

Shares = Sequence[tuple[str, int]]  # a store, and how many of a hundred views are in it
ADA_STORES: Shares = (("alderfinch.com", 58), ("outlet.alderfinch.com", 27), ("eu.alderfinch.com", 15))
BO_STORES: Shares = (("birch.studio", 70), ("fair.birch.studio", 30))
CY_STORES: Shares = (("calder.example", 100),)

# Ada's are 24,000 of 25,000 until she goes over, five days ago; Bo's are 82 % of his 1,000.
ADA_BEFORE, ADA_UNTIL_OVER, ADA_OVER_SINCE = 21_400, 24_000, 5
BO_NOW, BO_BEFORE, CY_BEFORE = 824, 410, 640
LATE = 140  # views that Ada's outlet reports when their period is closed


def of_ada(past: Past, customer_id: str, *, plan_begins: int, by: str) -> list[Happening]:
    """Past her allowance in the running period, which began with the plan so many days ago; paid from the wallet."""
    if not _counts(past):
        return []
    with past.at(plan_begins) as begun:
        start = anchored(begun, "UTC").allowance_period_at(past.today).start
    first = _days_ago(past, start)
    tell = partial(_reports, past, customer_id, ADA_STORES)
    happened: list[Happening] = [
        (plan_begins, partial(_agrees, past, customer_id, by)),
        (plan_begins - 1, partial(_opens, past, customer_id, ADA_STORES)),
        (first + 1, partial(tell, _spread(past, ADA_BEFORE, HISTORY, first + 1))),
        (first - 2, past.closes_usage),
        (ADA_OVER_SINCE + 1, partial(tell, _spread(past, ADA_UNTIL_OVER, first, ADA_OVER_SINCE + 1))),
        (ADA_OVER_SINCE - 1, partial(_reports_late, past, customer_id, ADA_STORES[1][0], start - timedelta(days=3))),
    ]
    usual = ADA_UNTIL_OVER // (first - ADA_OVER_SINCE) // FIVE * FIVE
    for day in range(ADA_OVER_SINCE, -1, -1):
        happened += [(day, past.closes_usage), (day, partial(tell, _spread(past, usual + 90 * (5 - day), day, day)))]
    return happened


def of_bo(past: Past, customer_id: str) -> list[Happening]:
    """Nearly at the end of what is free this month."""
    happened = _free_months(past, customer_id, BO_STORES, since=11, before=BO_BEFORE, now=BO_NOW)
    return [(11, partial(_opens, past, customer_id, BO_STORES[:1])), *happened]


def of_cy(past: Past, customer_id: str) -> list[Happening]:
    """Some of what was free, before he chose a plan."""
    return _free_months(past, customer_id, CY_STORES, since=39, before=CY_BEFORE, now=CY_BEFORE // 2)


def _counts(past: Past) -> bool:
    """Whether the shop that is seeded has this meter."""
    return past.session.scalar(select(Meter.key).where(Meter.key == METER)) is not None


def _free_months(past: Past, customer_id: str, stores: Shares, *, since: int, before: int, now: int) -> list[Happening]:
    """Without a subscription allowances are those of the calendar month: the last one, and this one until today."""
    if not _counts(past) or reads.free_plan(past.session) is None:
        return []
    tell, first = partial(_reports, past, customer_id, stores), min(since, past.today.day - 1)
    happened: list[Happening] = [(0, partial(tell, _spread(past, now, first, 0)))]
    if since > first:
        happened.append((first + 1, partial(tell, _spread(past, before, since, first + 1))))
        happened.append((first, past.closes_usage))
    return happened


def _spread(past: Past, views: int, first: int, last: int) -> list[tuple[int, int]]:
    """So many views over the days from `first` to `last` ago, as busy as days are: pairs of days ago and views."""
    days = list(range(first, last - 1, -1))
    busy = [WEEK[(past.today - timedelta(days=day)).weekday()] for day in days]
    shares = [views * one // sum(busy) // FIVE * FIVE for one in busy]
    shares[-1] += views - sum(shares)
    return list(zip(days, shares, strict=True))


def _reports(past: Past, customer_id: str, stores: Shares, days: Sequence[tuple[int, int]]) -> None:
    """One event for each store and day, at once."""
    events = []
    for days_ago, views in days:
        with past.at(days_ago) as when:
            parts = [(store, views * share // 100 // FIVE * FIVE) for store, share in stores]
            parts[0] = (parts[0][0], parts[0][1] + views - sum(count for _, count in parts))
            events += [_event(store, count, when) for store, count in parts if count]
    _record(past, customer_id, events)


def _reports_late(past: Past, customer_id: str, store: str, when: datetime) -> None:
    _record(past, customer_id, [_event(store, LATE, when, "-late")])


def _event(store: str, views: int, when: datetime, suffix: str = "") -> NewEvent:
    return NewEvent(f"{store}-{when:%Y-%m-%d}{suffix}", METER, views, store, when)


def _record(past: Past, customer_id: str, events: Sequence[NewEvent]) -> None:
    with transaction(past.session) as session:
        recorded = metering.record(session, customer_id, events)
    assert recorded.accepted == len(events), recorded.refused
    past.throw_mail_away()


def _agrees(past: Past, customer_id: str, by: str) -> None:
    """What goes beyond the plan is taken from the prepaid wallet, not put on an invoice."""
    with transaction(past.session) as session:
        agreed = Negotiated(limits={f"allowance:{METER}": {"overage_mode": "wallet"}})
        overrides.set_override(session, customer_id, agreed, reason="Overage from the wallet, as agreed", actor=by)


def _opens(past: Past, customer_id: str, stores: Shares) -> None:
    """The stores the views are in, as many as the plan allows; nothing where no plan limits them."""
    if not any(plan.limit("count", STORES) for plan in reads.offered_plans(past.session)):
        return
    past.session.rollback()
    with transaction(past.session) as session:
        for store, _ in stores:
            resources.acquire(session, customer_id, STORES, store, actor="system")


def _days_ago(past: Past, when: datetime) -> int:
    return (past.today.date() - when.date()).days
