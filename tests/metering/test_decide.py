"""Deciding events, one after the other: by the plain rules, whatever comes (SPEC U1-U4). No database is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import Invalid, Refusal
from app.ledger import Balance
from app.metering.deciding import Batch, Customer, decide
from app.metering.events import NewEvent
from app.metering.tallies import Tallies, Tally
from app.metering.terms import Terms
from app.subscriptions.periods import Anchor, Period

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
UTC_MONTHS = Anchor(datetime(2000, 1, 1, tzinfo=UTC), UTC)  # type: ignore[arg-type]  # a zone as good as any
PLANS = [  # what the plan says of the one meter, as one plan after another
    Terms(10, "wallet", 7),
    Terms(40, "invoice", 3),
    Terms(25, "block"),
    Terms(None),
    Terms(0, "wallet", 1_000),
]


@dataclass
class Naive:
    """The same rules again, as plainly as they can be said: one event after the other, a list of what was counted."""

    wallet: int
    cap: int | None
    counted: list[tuple[datetime, int, int, int]] = field(default_factory=list)  # period, units, over, micros
    seen: set[str] = field(default_factory=set)

    def takes(self, event: NewEvent, now: datetime, terms: Terms) -> str:
        if event.id in self.seen:
            return "duplicate"
        at = event.occurred_at or now
        month = datetime(at.year, at.month, 1, tzinfo=UTC)
        after = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
        if now >= after + timedelta(hours=1):
            month = datetime(now.year, now.month, 1, tzinfo=UTC)
        used = sum(units for period, units, _, _ in self.counted if period == month)
        covered = event.quantity if terms.allowance is None else max(0, min(event.quantity, terms.allowance - used))
        over = event.quantity - covered
        cost = over * (terms.unit_micros or 0)
        spent = sum(micros for period, _, _, micros in self.counted if period == month)
        if over and terms.mode == "block":
            return "TIER_LIMIT_EXCEEDED"
        if cost and self.cap is not None and spent + cost > self.cap:
            return "SPEND_CAP_REACHED"
        if cost and terms.mode == "wallet":
            if cost > self.wallet:
                return "INSUFFICIENT_CREDITS"
            self.wallet -= cost
        self.seen.add(event.id)
        self.counted.append((month, event.quantity, over, cost))
        return "counted"


events = st.builds(
    lambda number, quantity, source, back: (number, quantity, source, back),
    st.integers(0, 30),
    st.integers(1, 12),
    st.sampled_from(["", "a", "b"]),
    st.integers(0, 40 * 24),  # hours ago
)
steps = st.lists(
    st.tuples(st.integers(0, len(PLANS) - 1), st.integers(0, 500), st.lists(events, max_size=8)),  # plan, hours later
    max_size=6,
)


@given(steps=steps, wallet=st.integers(0, 9_000), cap=st.none() | st.integers(0, 9_000))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_deciding_is_what_the_plain_rules_say(steps: list, wallet: int, cap: int | None) -> None:
    """Plans change between batches; an earlier period goes on by the terms it was last counted by."""
    naive, now, kept = Naive(wallet, cap), NOW, {}
    left, seen, last_terms = wallet, set(), {}
    for plan, later, wanted in steps:
        now += timedelta(hours=later)
        period = UTC_MONTHS.allowance_period_at(now)
        batch = batch_of(PLANS[plan], list(kept.values()), left, cap, now, period)
        for number, quantity, source, back in wanted:
            event = NewEvent(f"e{number}", "m", quantity, source, now - timedelta(hours=back))
            terms = terms_for(event, now, period, last_terms, PLANS[plan])
            expected = naive.takes(event, now, terms)
            if event.id in seen:
                assert expected == "duplicate"
                continue
            done = decide(batch, event)
            assert (done.code if isinstance(done, Refusal) else "counted") == expected
            if not isinstance(done, Refusal):
                seen.add(event.id)
                if done.tally.terms.mode == "wallet":
                    left -= done.over_micros
                last_terms[done.tally.start] = done.tally.terms
        for tally in batch.tallies.touched():
            kept[tally.start] = tally
    assert left == naive.wallet
    for start, tally in kept.items():
        mine = [row for row in naive.counted if row[0] == start]
        assert (tally.used, tally.over, tally.over_micros) == tuple(sum(row[n] for row in mine) for n in (1, 2, 3))


def batch_of(terms: Terms, kept: list[Tally], left: int, cap: int | None, now: datetime, period: Period) -> Batch:
    found = [
        Tally(one.meter, one.start, one.end, one.terms, one.used, one.over, one.over_micros, False, one.used)
        for one in kept
        if one.end + timedelta(hours=1) > now
    ]
    tallies = Tallies(found, {"m": terms}, now, period, UTC_MONTHS.allowance_period_at)
    customer = Customer(None, "usd", False, cap, lambda: Balance(left), lambda meter, needed: None)
    return Batch(customer, tallies, {"m": "Units"}, now)


def terms_for(event: NewEvent, now: datetime, period: Period, last: dict, today: Terms) -> Terms:
    """An earlier period's own terms, where something was counted in it; today's else."""
    assert event.occurred_at is not None
    own = UTC_MONTHS.allowance_period_at(event.occurred_at)
    if own.start < period.start and now < own.end + timedelta(hours=1):
        return last.get(own.start, today)
    return today


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (NewEvent("", "m", 1), "id"),
        (NewEvent("x" * 256, "m", 1), "id"),
        (NewEvent("a\x00b", "m", 1), "id"),
        (NewEvent("a", "m", 0), "quantity"),
        (NewEvent("a", "m", 10**12 + 1), "quantity"),
        (NewEvent("a", "m", 1, source="\ud800"), "source"),
        (NewEvent("a", "m", 1, occurred_at=datetime(2026, 3, 14, 9, 35, 1, tzinfo=UTC)), "occurred_at"),
        (NewEvent("a", "m", 1, occurred_at=datetime(1999, 3, 14, tzinfo=UTC)), "occurred_at"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(event: NewEvent, field: str) -> None:
    batch = batch_of(Terms(10, "block"), [], 0, None, NOW, UTC_MONTHS.allowance_period_at(NOW))

    refusal = decide(batch, event)

    assert isinstance(refusal, Invalid)
    assert refusal.field == field
