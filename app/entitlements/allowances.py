"""Allowances in a check: what is left, and beyond it the mode, the spend cap and the wallet (SPEC U3, U4)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import clock, ledger
from app.entitlements import refusals, verdicts
from app.entitlements.plan_now import PlanNow
from app.entitlements.verdicts import Verdict
from app.errors import InsufficientFunds, Refusal, SpendCapReached
from app.metering import caps
from app.metering.reads import MeterNow
from app.money import decimal
from app.wallet.accounts import wallet_of


def verdict(session: Session, now: PlanNow, meter: MeterNow, quantity: int) -> Verdict:
    """Whether `quantity` more units would be counted."""
    refusal = _refusal(session, now, meter, quantity)
    limit, ends = meter.allowance, meter.period.end
    return verdicts.of(now, "allowance", meter.key, limit, meter.used, resets_at=ends, refusal=refusal)


def _refusal(session: Session, now: PlanNow, meter: MeterNow, quantity: int) -> Refusal | None:
    if now.is_restricted:
        return refusals.restricted(now, feature=meter.key, limit=meter.allowance, used=meter.used)
    if meter.allowance is None:
        return None
    over = meter.used + quantity - max(meter.allowance, meter.used)
    if over <= 0:
        return None
    if meter.mode in (None, "block"):
        return refusals.beyond(now, meter, quantity)
    return _unpaid(session, now, meter, over * (meter.unit_micros or 0))


def _unpaid(session: Session, now: PlanNow, meter: MeterNow, cost: int) -> Refusal | None:
    """Why units beyond the allowance cannot be paid."""
    customer_id = now.standing.customer_id
    cap = caps.spend_cap(session, customer_id)
    if cap is not None:
        spent = caps.spent(session, now.standing)
        if spent + cost > cap:
            return _over_cap(now, meter, cap, spent, cost)
    if meter.mode != "wallet":
        return None
    currency = now.standing.plan.currency if now.standing.plan else "usd"
    available = ledger.balance(session, wallet_of(customer_id, currency)).available
    if cost <= available:
        return None
    words = f"This needs {_said(cost, currency)} and {_said(max(0, available), currency)} is available."
    return InsufficientFunds(words, available_micros=available, needed_micros=cost, remedy="Top up the wallet.")


def _over_cap(now: PlanNow, meter: MeterNow, cap: int, spent: int, cost: int) -> SpendCapReached:
    currency = now.standing.plan.currency if now.standing.plan else "usd"
    remedy = "Raise the spend cap, or wait for the next period."
    words = f"Your spend cap of {_said(cap, currency)} a period is reached: {_said(spent, currency)} is spent."
    return SpendCapReached(
        f"{words} {remedy}",
        feature=meter.key,
        cap_micros=cap,
        spent_micros=spent,
        needed_micros=cost,
        resets_at=clock.timestamp(meter.period.end),
        remedy=remedy,
    )


def _said(micros: int, currency: str) -> str:
    return f"${decimal(micros)}" if currency == "usd" else f"{decimal(micros)} {currency.upper()}"
