"""What a day gives: the daily credits, and more on every so-many-th day in a row, as far as the cap has room for it."""

from __future__ import annotations

from dataclasses import dataclass

from app.catalogue.terms import CheckInTerms


@dataclass(frozen=True, slots=True)
class Award:
    """Whole credits: `bonus` is the part of `amount` that comes on top of every day's."""

    amount: int
    bonus: int


def award(terms: CheckInTerms, streak: int, *, held: int = 0) -> Award:
    """What the `streak`-th day in a row gives to who holds `held` credits from check-ins already."""
    bonus = bonus_on(terms, streak)
    amount = terms.credits + bonus
    if terms.most is not None:
        amount = max(0, min(amount, terms.most - held))
    return Award(amount, max(0, amount - terms.credits))


def bonus_on(terms: CheckInTerms, streak: int) -> int:
    """What comes on top on this day of a row; two bonuses that fall together are added."""
    return sum(more for days, more in terms.bonuses if streak % days == 0)


def next_bonus_on(terms: CheckInTerms, streak: int) -> int | None:
    """The first day of a row, from this one on, that brings a bonus; None where none ever does."""
    return min((-(-streak // days) * days for days, _ in terms.bonuses), default=None)
