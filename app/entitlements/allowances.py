"""Allowances in a check: one event is decided as if it had come, and never written down (SPEC U3, U4, U7)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy.orm import Session

from app import clock, ledger
from app.entitlements import verdicts
from app.entitlements.plan_now import PlanNow
from app.entitlements.verdicts import Verdict
from app.errors import Refusal
from app.metering import caps, reads
from app.metering.deciding import Batch, Counted, Customer, decide
from app.metering.events import NewEvent
from app.metering.reads import MeterNow
from app.metering.tallies import Tallies, Tally
from app.metering.terms import Terms
from app.wallet.accounts import wallet_of


def of(session: Session, now: PlanNow, quantity: int, meter: str | None = None) -> list[Verdict]:
    """Whether so many more units of this meter, or of each one, would be counted. None where there is no such meter."""
    meters = reads.meters(session, now.standing)
    wanted = [one for one in meters if meter in (None, one.key)]
    if not wanted:
        return []
    customer = _customer(session, now)
    return [_verdict(now, customer, meters, one, quantity) for one in wanted]


def _verdict(now: PlanNow, customer: Customer, meters: Sequence[MeterNow], meter: MeterNow, quantity: int) -> Verdict:
    period = now.standing.period
    terms = {one.key: _terms(one) for one in meters}
    tallies = Tallies([_tally(one) for one in meters], terms, clock.now(), period, lambda _instant: period)
    names = {one.key: one.name for one in meters}
    outcome: Counted | Refusal = decide(
        Batch(customer, tallies, names, clock.now()), NewEvent("check", meter.key, quantity)
    )
    refusal = outcome if isinstance(outcome, Refusal) else None
    return verdicts.of(
        now, "allowance", meter.key, meter.allowance, meter.used, resets_at=meter.period.end, refusal=refusal
    )


def _customer(session: Session, now: PlanNow) -> Customer:
    customer_id, plan = now.standing.customer_id, now.standing.plan
    currency = plan.currency if plan else "usd"
    return Customer(
        plan=plan,
        currency=currency,
        is_restricted=now.is_restricted,
        spend_cap=caps.spend_cap(session, customer_id),
        wallet=lambda: ledger.balance(session, wallet_of(customer_id, currency)),
        upgrade=partial(now.upgrade, "allowance"),
    )


def _tally(meter: MeterNow) -> Tally:
    start, end = meter.period.start, meter.period.end
    return Tally(meter.key, start, end, _terms(meter), meter.used, meter.over, meter.over_micros)


def _terms(meter: MeterNow) -> Terms:
    return Terms(meter.allowance, meter.mode, meter.unit_micros)
