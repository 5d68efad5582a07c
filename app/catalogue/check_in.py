"""The rules of the daily check-in (SPEC C5), kept as versions: those that are live, and those a day began with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, clock
from app.catalogue.difference import Change, between
from app.catalogue.models import DAYS_OF, WHO_CHECKS_IN, CheckInRules
from app.catalogue.terms import Catalogue, CheckInTerms
from app.errors import Invalid

MOST_BONUSES = 3
MOST_CREDITS = 1_000_000  # a day, a bonus
LONGEST_ROW = 366
LONGEST_EXPIRY = 3_650


def newest(session: Session) -> CheckInRules | None:
    """The rules as staff last left them, on or off; None while nobody has."""
    return session.scalars(select(CheckInRules).order_by(CheckInRules.version.desc()).limit(1)).first()


def live(session: Session) -> CheckInTerms | None:
    """The rules of today, None while check-in is off."""
    rules = newest(session)
    return terms_of(rules) if rules and rules.is_on else None


def for_day(session: Session, rules: CheckInRules, begins: datetime) -> CheckInTerms:
    """What counts on a customer's day that began then, by rules that are on.

    What the day gives is what it promised when it began. The rest counts at once: switching off, who may, and the cap
    are what stops an abuse.
    """
    terms = terms_of(rules)
    if rules.created_at <= begins:
        return terms
    before = select(CheckInRules).where(CheckInRules.created_at <= begins).order_by(CheckInRules.version.desc())
    earlier = session.scalars(before.limit(1)).first()
    if earlier is None or not earlier.is_on:
        return terms
    promised = terms_of(earlier)
    return replace(terms, credits=promised.credits, bonuses=promised.bonuses, expires_days=promised.expires_days)


def save(session: Session, terms: CheckInTerms, *, is_on: bool, actor: str) -> Change | None:
    """Make these the rules. None when they are already. Raises Invalid, naming the field."""
    check(terms)
    before = newest(session)
    if before is not None and before.is_on == is_on and terms_of(before) == terms:
        return None
    was = terms_of(before) if before and before.is_on else None
    found = between(Catalogue(check_in=was), Catalogue(check_in=terms if is_on else None))
    change = found[0] if found else None
    write(session, terms, is_on=is_on, actor=actor)
    how, facts = (change.how, change.data()["facts"]) if change else ("changed", {})
    activity.record(session, actor, f"catalogue.{how}", f"check-in:{terms.key}", facts=facts)
    return change


def write(session: Session, terms: CheckInTerms, *, is_on: bool, actor: str) -> CheckInRules:
    """Another version. The caller has checked it and keeps the audit log."""
    rules = CheckInRules(
        is_on=is_on,
        credits=terms.credits,
        bonuses=[list(bonus) for bonus in terms.bonuses],
        expires_days=terms.expires_days,
        most=terms.most,
        day=terms.day,
        who=terms.who,
        created_at=clock.now(),
        created_by=actor,
    )
    session.add(rules)
    session.flush()
    return rules


def switch_off(session: Session, *, actor: str) -> None:
    """The rules stay, for whoever switches it on again. The caller keeps the audit log."""
    rules = newest(session)
    if rules is not None and rules.is_on:
        write(session, terms_of(rules), is_on=False, actor=actor)


def terms_of(rules: CheckInRules) -> CheckInTerms:
    """A version as values."""
    bonuses = tuple((int(days), int(more)) for days, more in rules.bonuses)
    return CheckInTerms(rules.credits, bonuses, rules.expires_days, rules.most, rules.day, rules.who)


def check(terms: CheckInTerms) -> None:
    """Raises Invalid with the field and what is right."""
    _within("credits", terms.credits, MOST_CREDITS)
    if len(terms.bonuses) > MOST_BONUSES:
        raise Invalid(f"There may be {MOST_BONUSES} bonuses at most.", field="bonuses")
    rows = [days for days, _ in terms.bonuses]
    if rows != sorted(set(rows)):
        raise Invalid("Name each number of days once.", field="bonuses")
    for days, more in terms.bonuses:
        _within("bonuses", more, MOST_CREDITS)
        if not 2 <= days <= LONGEST_ROW:
            raise Invalid(f"A bonus comes every 2 to {LONGEST_ROW} days.", field="bonuses")
    if terms.expires_days is not None:
        _within("expires_days", terms.expires_days, LONGEST_EXPIRY)
    if terms.most is not None and not terms.credits <= terms.most <= 10**15:
        raise Invalid("The most at once is no less than what a day gives.", field="most")
    if terms.day not in DAYS_OF or terms.who not in WHO_CHECKS_IN:
        raise Invalid("Choose one of these.", field="day" if terms.day not in DAYS_OF else "who")


def _within(field: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise Invalid(f"Enter a whole number from 1 to {most:,}.", field=field)
