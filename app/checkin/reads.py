"""What pages read of the daily check-in: today, a month as a calendar, the longest row, and what it gave away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app import clock
from app.checkin import allowed, days, situation
from app.checkin.calendar import (
    CalendarDay,
    Done,
    Known,
    last_month,
    month_days,
    next_month,
    shown,
    week_of,
    weeks,
)
from app.checkin.models import CheckIn
from app.checkin.rewards import bonus_on, next_bonus_on
from app.checkin.situation import Situation

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NextBonus:
    """The next day that gives more, if every day until then is checked in: its place in the row, all it gives."""

    date: date
    streak: int
    amount: int


@dataclass(frozen=True, slots=True)
class Today:
    """A customer's day. `reason`: why they may not check in, "" when they may. `amount`: what checking in now gives.

    `next_at`: when the check-in after this one is possible, or the next one when today's is `done`. `amount` is 0 at
    the cap. `week` goes from Monday to Sunday.
    """

    is_on: bool
    reason: str
    done: bool
    next_at: datetime
    day: date
    zone: str
    streak: int
    amount: int
    next_bonus: NextBonus | None
    week: tuple[CalendarDay, ...]


@dataclass(frozen=True, slots=True)
class Month:
    """A month as a calendar. `open_days` are those that could have been checked in so far, `checked` those that were.

    `previous` and `following` are the months beside it that there is something to see of.
    """

    month: date
    weeks: list[list[CalendarDay | None]]
    checked: int
    open_days: int
    credits: int
    missed: tuple[date, ...]
    previous: date | None
    following: date | None


def today(session: Session, customer_id: str) -> Today:
    """Today and this week. Six SELECTs at most, more only where the rules look at what the customer has paid."""
    now = situation.of(session, customer_id)
    return today_of(session, now)


def today_of(session: Session, now: Situation) -> Today:
    """The same from a situation that was asked before."""
    terms = now.terms
    reason = allowed.reason_against(session, now.customer.id, terms.who) if terms and not now.is_done else ""
    after = now.turn if now.is_done else days.day_at(now.day.ends_at, now.day.zone)
    week = week_of(now.day.date)
    known = _known(session, now, week[0], week[-1])
    return Today(
        is_on=terms is not None,
        reason=reason,
        done=now.is_done,
        next_at=after.starts_at,
        day=now.day.date,
        zone=now.day.zone,
        streak=now.streak,
        amount=0 if now.is_done else now.award.amount,
        next_bonus=_next_bonus(now),
        week=tuple(shown(day, known) for day in week),
    )


def month(session: Session, now: Situation, wanted: date | None) -> Month:
    """The calendar of a month, today's when none or one that has not begun is asked for. Three SELECTs."""
    current = now.day.date.replace(day=1)
    first = min(wanted or current, current)
    listed = month_days(first)
    known = _known(session, now, listed[0], listed[-1])
    cells = [shown(day, known) for day in listed]
    checked = [cell for cell in cells if cell.state == "done"]
    missed = tuple(cell.date for cell in cells if cell.state == "missed")
    return Month(
        month=first,
        weeks=weeks(cells),
        checked=len(checked),
        open_days=len(checked) + len(missed),
        credits=sum(cell.amount for cell in checked),
        missed=missed,
        previous=last_month(first) if known.first < first else None,
        following=next_month(first) if first < current else None,
    )


def longest(session: Session, customer_id: str) -> CheckIn | None:
    """The last day of the longest row there ever was; of equal ones the latest."""
    mine = select(CheckIn).where(CheckIn.customer_id == customer_id)
    return session.scalars(mine.order_by(CheckIn.streak.desc(), CheckIn.local_date.desc()).limit(1)).first()


def _known(session: Session, now: Situation, first: date, last: date) -> Known:
    # One day more than is shown: whether a row went over the end can be told from the day after it.
    mine = select(CheckIn).where(
        CheckIn.customer_id == now.customer.id, CheckIn.local_date >= first, CheckIn.local_date <= last + _ONE
    )
    done = {row.local_date: Done(row.amount, row.bonus, row.streak_began) for row in session.scalars(mine)}
    return Known(done, now.day.date, _first(session, now), _bonuses(now, last))


def _first(session: Session, now: Situation) -> date:
    """The day this customer first checked in, before which none was missed; today while there is none."""
    if now.last is None:
        return now.day.date
    mine = select(func.min(CheckIn.local_date)).where(CheckIn.customer_id == now.customer.id)
    return session.scalar(mine) or now.day.date


def _bonuses(now: Situation, last: date) -> dict[date, int]:
    """The days up to `last` that will give a bonus, if every one until then is checked in, with all they give."""
    if now.terms is None:
        return {}
    found, day, streak = {}, now.turn.date, now.next_streak
    while day <= last:
        if bonus_on(now.terms, streak):
            found[day] = now.terms.credits + bonus_on(now.terms, streak)
        day, streak = day + _ONE, streak + 1
    return found


def _next_bonus(now: Situation) -> NextBonus | None:
    streak = next_bonus_on(now.terms, now.next_streak) if now.terms else None
    if now.terms is None or streak is None:
        return None
    when = now.turn.date + _ONE * (streak - now.next_streak)
    return NextBonus(when, streak, now.terms.credits + bonus_on(now.terms, streak))


@dataclass(frozen=True, slots=True)
class GivenAway:
    """What check-ins of the last days came to. `by_streak`: how many were the how-manieth day of a row."""

    days: int
    daily: int
    bonus: int
    bonuses: int
    by_streak: dict[int, int]

    @property
    def total(self) -> int:
        return self.daily + self.bonus


def given_away(session: Session, *, days: int) -> GivenAway:
    """Over all customers. One SELECT over the index on time; its answer is as long as the longest row."""
    counted = (
        select(
            CheckIn.streak,
            func.count(),
            func.sum(CheckIn.amount),
            func.sum(CheckIn.bonus),
            func.sum(case((CheckIn.bonus > 0, 1), else_=0)),
        )
        .where(CheckIn.checked_at > clock.now() - _ONE * days)
        .group_by(CheckIn.streak)
    )
    rows = [tuple(int(value) for value in row) for row in session.execute(counted)]
    bonus = sum(row[3] for row in rows)
    return GivenAway(
        days=sum(row[1] for row in rows),
        daily=sum(row[2] for row in rows) - bonus,
        bonus=bonus,
        bonuses=sum(row[4] for row in rows),
        by_streak={row[0]: row[1] for row in rows},
    )
