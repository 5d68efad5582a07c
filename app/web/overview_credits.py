"""The overview's credits: how many there are, what they pay for, and the daily check-in with this week's days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import credits
from app.catalogue.terms import ActionTerms
from app.checkin import reads
from app.checkin.reads import Today
from app.credits import CreditBalance
from app.http.filters import credit_count, day_text, long_day, number


@dataclass(frozen=True, slots=True)
class Credits:
    """The panel. `today` is None where check-in is switched off; `bonus` says what a row of days brings next."""

    balance: CreditBalance
    note: str
    today: Today | None
    bonus: str


def of(session: Session, customer_id: str, actions: Sequence[ActionTerms]) -> Credits:
    """The credits of this customer. `actions`: what the catalogue lets credits be spent on."""
    balance, today = credits.balance(session, customer_id), reads.today(session, customer_id)
    return Credits(balance, _note(balance, actions), today if today.is_on else None, _bonus(today))


def _note(balance: CreditBalance, actions: Sequence[ActionTerms]) -> str:
    """When some end, and what the first action costs: `Never expire. Generate a model: 10 credits.`"""
    if balance.ends_at is not None and balance.ends_next < balance.available:
        ends = f"{number(balance.ends_next)} of them end on {day_text(balance.ends_at)}."
    elif balance.ends_at is not None:
        ends = f"They end on {day_text(balance.ends_at)}."
    else:
        ends = "Never expire." if balance.available else "Credits pay for single actions and are not money."
    return f"{ends} {actions[0].name}: {credit_count(actions[0].credits)}." if actions else ends


def _bonus(today: Today) -> str:
    """`Sunday is day 14, worth 40 credits.`"""
    coming = today.next_bonus
    if coming is None:
        return ""
    when = "Today" if coming.date == today.day else long_day(coming.date)
    return f"{when} is day {number(coming.streak)}, worth {credit_count(coming.amount)}."
