"""Telling the customer how far they are: at their thresholds of an allowance, and at their spend cap (SPEC U4)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import clock, notices
from app.metering.deciding import Batch
from app.metering.tallies import Tally
from app.notices import phrases

_ALL = 100  # percent


def crossed(session: Session, customer_id: str, batch: Batch) -> None:
    """A notice for each threshold this batch crossed, once per meter, period and threshold."""
    percents: tuple[int, ...] | None = None
    for tally in batch.tallies.touched():
        allowance = tally.terms.allowance
        if not allowance or tally.used * _ALL // allowance == tally.had_used * _ALL // allowance:
            continue
        if percents is None:
            percents = notices.thresholds(session, customer_id)
        for percent in percents:
            if tally.had_used * _ALL < percent * allowance <= tally.used * _ALL:
                _tell(session, customer_id, tally, percent, batch)


def capped(session: Session, customer_id: str, batch: Batch, cap: int | None) -> None:
    """A notice that the spend cap refused something, once per period."""
    for start, tally in batch.capped.items():
        notices.tell(
            session,
            customer_id,
            "spend_cap_reached",
            key=f"spend_cap:{clock.timestamp(start)}",
            cap_micros=cap or 0,
            spent_micros=batch.tallies.spent(start),
            resets_at=tally.end,
            currency=batch.currency,
        )


def _tell(session: Session, customer_id: str, tally: Tally, percent: int, batch: Batch) -> None:
    facts: dict[str, notices.Fact] = {
        "meter": tally.meter,
        "name": batch.name_of(tally.meter).lower(),
        "percent": percent,
        "used": tally.used,
        "allowance": tally.terms.allowance,
        "period_start": tally.start,
        "resets_at": tally.end,
    }
    key = f"usage:{tally.meter}:{clock.timestamp(tally.start)}:{percent}"
    if percent < _ALL:
        notices.tell(session, customer_id, "usage_threshold", key=key, **facts)
    else:
        notices.tell(session, customer_id, "usage_exhausted", key=key, then=_then(tally, batch.currency), **facts)


def _then(tally: Tally, currency: str) -> str:
    """What happens to each unit beyond the allowance, as a sentence."""
    price = phrases.money(tally.terms.unit_micros or 0, currency)
    if tally.terms.mode == "wallet":
        return f"Each one more is paid from your wallet, at {price}."
    if tally.terms.mode == "invoice":
        return f"Each one more is on your next invoice, at {price}."
    return "No more are accepted."
