"""A change of plan before it is confirmed: what changes, what is due now, and what is next (SPEC P6, P7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.catalogue import reads
from app.catalogue.terms import Catalogue, PlanTerms
from app.http import pricing_table
from app.http.filters import cents, day_text, number
from app.subscriptions.comparison import limits_that_differ
from app.subscriptions.models import SubscriptionChange
from app.subscriptions.periods import Interval
from app.web import next_charge, plan_excess
from app.web.next_charge import Line

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Preview:
    """A change with its bills. `steps`: what is different, before and after. `exceeded`: more in use than allowed."""

    change: SubscriptionChange
    before: PlanTerms
    after: PlanTerms
    steps: Sequence[tuple[str, str, str]]
    due: Sequence[Line]
    then: Sequence[Line]
    then_at: datetime | None
    exceeded: Sequence[str]

    @property
    def is_now(self) -> bool:
        return str(self.change.details.get("effect", "now")) == "now"

    @property
    def verb(self) -> str:
        """What the change is called on its page and its button."""
        if self.before.key == self.after.key:
            return f"switch to {'yearly' if self.change.interval == 'year' else 'monthly'}"
        return f"{'upgrade' if self.after.rank > self.before.rank else 'downgrade'} to {self.after.name}"


def of(session: Session, change: SubscriptionChange, before: PlanTerms, catalogue: Catalogue) -> Preview:
    """The change with what it comes to. Every figure is the one kept with the preview, and is charged to the cent."""
    after = reads.version_of(session, change.plan_id, change.version)
    limits = change.details.get("limits", [])
    then_at = change.details.get("next_at")
    return Preview(
        change=change,
        before=before,
        after=after,
        steps=_steps(limits, before, after, catalogue),
        due=_due(change, before),
        then=_then(change, after),
        then_at=datetime.fromisoformat(then_at) if then_at else None,
        exceeded=plan_excess.sentences(session, change.customer_id, after),
    )


def compared(before: PlanTerms, after: PlanTerms, catalogue: Catalogue) -> list[tuple[str, str, str]]:
    """The same table for a plan that is bought for the first time."""
    return _steps(limits_that_differ(before, after), before, after, catalogue)


def _due(change: SubscriptionChange, before: PlanTerms) -> list[Line]:
    """The lines of what is charged now, and their sum; where nothing is, until when what there is is paid."""
    currency, told = change.currency, change.details
    if told.get("effect") == "period_end":
        paid = f"{before.name} is paid until {day_text(change.effective_at)}"
        return [(paid, cents(0, currency), ""), ("Due today", cents(change.due_minor, currency), "")]
    lines = [(str(line["description"]), cents(line["amount"], currency), "") for line in told.get("lines", [])]
    if told.get("discount"):
        lines.append(("Coupon", cents(-told["discount"], currency), ""))
    lines += [(_tax_name(tax), cents(tax["amount"], currency), "") for tax in told.get("taxes", [])]
    if told.get("from_balance"):
        lines.append(("From your credit with the provider", cents(-told["from_balance"], currency), ""))
    return [*lines, ("Due today", cents(change.due_minor, currency), "")]


def _then(change: SubscriptionChange, after: PlanTerms) -> list[Line]:
    """The next invoice, as far as it is known today."""
    total = change.details.get("next_total")
    if total is None:
        return []
    label = f"{after.name} plan, {next_charge.EACH[Interval(change.interval)]}"
    rest = total - change.price_minor
    lines = [(label, cents(change.price_minor, change.currency), "")]
    if rest:
        words = "Tax" if rest > 0 else "Coupon and tax"
        lines.append((words, cents(rest, change.currency), ""))
    return [*lines, ("Total", cents(total, change.currency), "")]


def _tax_name(tax: dict[str, Any]) -> str:
    return f"{tax['name']} {tax['percent']}%" if tax.get("percent") else str(tax["name"])


def _steps(
    limits: Sequence[dict[str, Any]], before: PlanTerms, after: PlanTerms, catalogue: Catalogue
) -> list[tuple[str, str, str]]:
    names = {meter.key: meter.name for meter in catalogue.meters}
    return [*(_step(limit, names) for limit in limits), *_credits(before, after)]


def _step(limit: dict[str, Any], names: dict[str, str]) -> tuple[str, str, str]:
    kind, key = limit["kind"], limit["key"]
    label = names.get(key) or pricing_table.spoken(key)
    if kind == "allowance":
        label += " a month"
    elif kind == "rate":
        label += " per minute"
    return label, _told(kind, limit["before"]), _told(kind, limit["after"])


def _told(kind: str, amount: int | None) -> str:
    if kind == "flag":
        return "Yes" if amount else "No"
    return pricing_table.NO_LIMIT if amount is None else number(amount)


def _credits(before: PlanTerms, after: PlanTerms) -> Sequence[tuple[str, str, str]]:
    if before.included_credits == after.included_credits:
        return ()
    return (("Credits a month", number(before.included_credits), number(after.included_credits)),)


def left_of_period(change: SubscriptionChange, start: datetime, end: datetime) -> str:
    """`14 of 30 days are left in this period`, today included."""
    whole = (end - start).days
    left = min(whole, -((change.as_of - end) // _DAY))
    return f"{left} of {whole} days are left in this period"
