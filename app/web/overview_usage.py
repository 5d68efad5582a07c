"""The overview's usage: every meter with its bar, what overage comes to, and a plan that would cover it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.catalogue import reads as catalogue
from app.catalogue.terms import PlanTerms
from app.http.filters import cents, number, short_day
from app.metering import reads
from app.money import minor_to_micros
from app.subscriptions.standing import Standing
from app.web import usage_ahead, usage_counts, usage_rows
from app.web.usage_ahead import Ahead
from app.web.usage_rows import MeterRow, about
from app.web.usage_words import in_a_sentence, last_day


@dataclass(frozen=True, slots=True)
class Usage:
    """The panel. `advice` names no plan unless it is true and saves money; `is_new`: nothing was counted yet."""

    rows: Sequence[MeterRow]
    ahead: Sequence[Ahead]
    until: str
    advice: str
    is_new: bool

    @property
    def free(self) -> str:
        """What is included, in a sentence: `1,000 API calls and 25 agent runs a month are free.`"""
        meters = [one.meter for one in self.ahead]
        named = [f"{number(meter.allowance)} {in_a_sentence(meter.name)}" for meter in meters if meter.allowance]
        if not named:
            return "What you use is counted here."
        last = named.pop()
        return f"{', '.join(named)} and {last} a month are free." if named else f"{last} a month are free."


def of(session: Session, standing: Standing) -> Usage:
    """The running period of this customer."""
    ahead = usage_ahead.of(session, standing.customer_id, reads.meters(session, standing))
    return Usage(
        rows=[*usage_rows.rows_of(ahead), *usage_counts.rows_of(session, standing)],
        ahead=ahead,
        until=short_day(last_day(standing.period.end)),
        advice=advice(session, ahead, standing),
        is_new=not any(one.meter.used for one in ahead),
    )


def advice(session: Session, ahead: Sequence[Ahead], standing: Standing) -> str:
    """`At this week’s pace overage reaches about $216.77 by 3 Dec.`, and the plan that is cheaper, if there is one."""
    coming = usage_ahead.cost(ahead)
    if not ahead or coming == sum(one.meter.over_micros for one in ahead):
        return ""
    said = f"At this week’s pace overage reaches about {about(coming)} by {short_day(last_day(standing.period.end))}."
    better = _covering(ahead, standing, catalogue.offered_plans(session), coming)
    if better is None:
        return said
    plan, more = better
    return f"{said} {plan.name} covers all of it for {cents(more, plan.currency)} more a month."


def _covering(
    ahead: Sequence[Ahead], standing: Standing, offered: Sequence[PlanTerms], coming: int
) -> tuple[PlanTerms, int] | None:
    """The cheapest plan that allows all that is expected, and how much more it costs a month: less than the overage."""
    mine = standing.plan
    if mine is None or mine.monthly_minor is None:
        return None
    fitting = [plan for plan in offered if plan.monthly_minor is not None and _allows(plan, ahead)]
    for plan in sorted(fitting, key=lambda plan: (plan.monthly_minor or 0, plan.rank)):
        more = (plan.monthly_minor or 0) - mine.monthly_minor
        if plan.key != mine.key and more > 0 and minor_to_micros(more, plan.currency) < coming:
            return plan, more
    return None


def _allows(plan: PlanTerms, ahead: Sequence[Ahead]) -> bool:
    for one in ahead:
        limit = plan.limit("allowance", one.meter.key)
        if one.total and (limit is None or (limit.amount is not None and limit.amount < one.total)):
            return False
    return True
