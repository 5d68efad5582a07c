"""What moving the subscribers of a version would come to, before anybody is moved: for staff to look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.catalogue import reads
from app.catalogue.terms import PlanTerms
from app.flows import movable
from app.flows.movable import Not, Providers, Terms
from app.money import round_half_away
from app.moves import reads as moves
from app.moves.begin import Asked
from app.subscriptions import overrides, subscribers
from app.subscriptions.periods import Interval
from app.subscriptions.subscribers import Alike


@dataclass(slots=True)
class Line:
    """Subscribers who pay the same before and the same after. `when`: now, renewal, or noticed (not without notice)."""

    interval: str
    before_minor: int
    after_minor: int
    currency: str
    when: str
    count: int = 0
    negotiated: int = 0  # how many of them have terms of their own


@dataclass(slots=True)
class Left:
    """Subscribers who cannot be moved, with one of them by id. `passes`: it is tried again for a while."""

    why: str
    passes: bool
    count: int = 0
    customers: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outlook:
    """Money in minor units of the subscribers' currency, before tax and coupons; the months are averages."""

    lines: Sequence[Line]
    left: Sequence[Left]
    count: int  # all who are asked about
    month_before: int
    month_after: int
    currency: str

    @property
    def movable(self) -> int:
        return sum(line.count for line in self.lines)

    @property
    def passing(self) -> int:
        """Those who cannot be moved yet, and may be in a while."""
        return sum(each.count for each in self.left if each.passes)

    @property
    def negotiated(self) -> int:
        return sum(line.negotiated for line in self.lines)


def look(session: Session, providers: Providers, asked: Asked) -> Outlook:
    """Put it together from groups of subscribers who are alike: as many SELECTs for ten as for ten thousand.

    Who has terms of their own is a group alone, and is asked for alone.
    """
    old = reads.version_of(session, asked.plan_id, asked.from_version)
    new = reads.version_of(session, asked.plan_id, asked.to_version)
    lines: dict[tuple[object, ...], Line] = {}
    left: dict[tuple[str, bool], Left] = {}
    months: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    whose = (asked.plan_id, asked.from_version)
    groups = subscribers.alike(session, *whose, asked.customers, but=moves.under_way(*whose))
    busy, example = moves.how_many_wait(session, *whose, asked.customers)
    if example is not None:
        left["", False] = Left("They are being moved already.", False, busy, [example])
    for each in groups:
        found = _line(session, providers, asked, each, old, new)
        each_year = 12 // Interval(each.interval).months * each.count
        after = each.price_minor if isinstance(found, Not) else found.after_minor
        months[each.currency][0] += each.price_minor * each_year
        months[each.currency][1] += after * each_year
        if isinstance(found, Not):
            stay = left.setdefault((found.why, found.passes), Left(found.why, found.passes))
            stay.count += each.count
            stay.customers.append(each.example)
            continue
        line = lines.setdefault((found.interval, found.before_minor, found.after_minor, found.when), found)
        line.count += each.count
        line.negotiated += each.count if each.negotiated else 0
    currency = new.currency
    before, afterwards = months[currency]
    return Outlook(
        lines=sorted(lines.values(), key=lambda line: (-line.count, line.interval, line.before_minor)),
        left=sorted(left.values(), key=lambda each: -each.count),
        count=sum(each.count for each in groups) + busy,
        month_before=round_half_away(before, 12),
        month_after=round_half_away(afterwards, 12),
        currency=currency,
    )


def _line(
    session: Session, providers: Providers, asked: Asked, each: Alike, old: PlanTerms, new: PlanTerms
) -> Line | Not:
    own = overrides.live(session, each.negotiated) if each.negotiated else None
    has = Terms(old, overrides.laid_over(old, own))
    bought = movable.sale_of(session, providers, each, has, Terms(new, overrides.laid_over(new, own)), each.changes)
    if isinstance(bought, Not):
        return bought
    when = movable.when(asked.times, each, has, bought)
    return Line(each.interval, each.price_minor, bought.price.minor, each.currency, when)
