"""How a customer stands with the daily check-in at this moment: what the verb decides by, and the page tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.catalogue import check_in as rules
from app.catalogue.terms import CheckInTerms
from app.checkin import days
from app.checkin.days import Day
from app.checkin.models import CheckIn
from app.checkin.rewards import Award, award
from app.credits.models import CreditGrant
from app.customers.models import Customer
from app.errors import NotFound


@dataclass(frozen=True, slots=True)
class Situation:
    """`day` is the customer's day now, `turn` the first that is free: the same one while it is to be checked in.

    `terms` None: check-in is off. `held`: credits from check-ins not spent yet, where there is a cap on them.
    """

    customer: Customer
    now: datetime
    day: Day
    turn: Day
    last: CheckIn | None
    terms: CheckInTerms | None
    held: int

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do before `turn` begins."""
        return self.now < self.turn.starts_at

    @property
    def streak(self) -> int:
        """Days in a row so far: a row lives until the day that would go on with it is over."""
        if self.last is None:
            return 0
        going_on = days.following(self.last.local_date, self.last.ends_at, self.day.zone)
        return self.last.streak if self.now < going_on.ends_at else 0

    @property
    def next_streak(self) -> int:
        """Days in a row with the turn's."""
        return self.streak + 1

    @property
    def award(self) -> Award:
        """What checking in now gives, cap included."""
        return award(self.terms, self.next_streak, held=self.held) if self.terms else Award(0, 0)


def of(session: Session, customer_id: str, *, lock: bool = False) -> Situation:
    """How this customer stands now. With `lock` nobody else checks in for them until the commit. Raises NotFound.

    Four SELECTs, five on the day staff change the rules.
    """
    customer = _customer(session, customer_id, lock=lock)
    now, latest = clock.now(), rules.newest(session)
    zone = "UTC" if latest is not None and latest.day == "utc" else customer.time_zone
    day = days.day_at(now, zone)
    last = last_of(session, customer_id)
    free = day if last is None else days.following(last.local_date, last.ends_at, day.zone)
    terms = rules.for_day(session, latest, day.starts_at) if latest and latest.is_on else None
    return Situation(
        customer=customer,
        now=now,
        day=day,
        turn=free if free.starts_at > now else day,
        last=last,
        terms=terms,
        held=_held(session, customer_id, now) if terms and terms.most is not None else 0,
    )


def last_of(session: Session, customer_id: str) -> CheckIn | None:
    """The latest day this customer checked in."""
    mine = select(CheckIn).where(CheckIn.customer_id == customer_id)
    return session.scalars(mine.order_by(CheckIn.local_date.desc()).limit(1)).first()


def _customer(session: Session, customer_id: str, *, lock: bool) -> Customer:
    # A change of the zone waits for the same row, so no two check-ins see two zones. Rows that refer to it do not wait.
    locking = {"key_share": True} if lock else None
    found = session.get(Customer, customer_id, with_for_update=locking, populate_existing=lock)
    if found is None:
        raise NotFound("There is no such customer.")
    return found


def _held(session: Session, customer_id: str, now: datetime) -> int:
    """Credits from check-ins that are neither spent nor over."""
    mine = select(func.coalesce(func.sum(CreditGrant.remaining), 0)).where(
        CreditGrant.customer_id == customer_id,
        CreditGrant.source == "checkin",
        CreditGrant.remaining > 0,
        CreditGrant.expires_at.is_(None) | (CreditGrant.expires_at > now),
    )
    return int(session.scalar(mine) or 0)
