"""What a change of plan will cost about, where the provider does not say it beforehand (SPEC P6, V1).

Our own arithmetic over the plan's price before tax. The provider counts by itself, and its figure is what is charged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.errors import Conflict
from app.money import Money
from app.providers.billing import ChangePreview, InvoiceLine
from app.subscriptions.models import Subscription
from app.subscriptions.periods import Anchor, Interval, Period
from app.subscriptions.proration import share_left
from app.subscriptions.sale import Sale
from app.subscriptions.standing import anchor_of
from app.subscriptions.unused import current_period


@dataclass(frozen=True, slots=True)
class Has:
    """What the customer has now, in plain values: nothing is read while the provider is asked."""

    name: str
    price: Money
    interval: Interval
    period: Period
    anchor: Anchor


def has(subscription: Subscription, name: str) -> Has:
    price = Money(subscription.price_minor, subscription.currency)
    return Has(name, price, Interval(subscription.interval), current_period(subscription), anchor_of(subscription))


def preview(before: Has, to: Sale, *, at: datetime) -> ChangePreview:
    """The change at this instant, taxes left out. Raises Conflict outside of the period: it is being renewed."""
    if not before.period.holds(at):
        raise Conflict("The subscription is being renewed at this moment. Try again in a minute.", remedy="retry")
    share = share_left(before.period, at)
    credit = share.of(before.price.minor)
    rest = before.period if to.interval is before.interval else Anchor(at, before.anchor.zone).period(0, to.interval)
    charge = share.of(to.price.minor) if to.interval is before.interval else to.price.minor
    lines = [
        _line(
            f"{to.terms.name} until the period ends" if rest is before.period else to.terms.name, charge, at, rest.end
        ),
        _line(f"Unused time on {before.name}", -credit, at, before.period.end),
    ]
    return ChangePreview(
        due_now=Money(max(0, charge - credit), to.price.currency),
        credit=credit,
        charge=charge,
        discount=0,
        tax=0,
        from_balance=0,
        lines=lines,
        taxes=(),
        as_of=at,
        next_total=to.price,
        next_at=rest.end,
    )


def _line(description: str, amount: int, start: datetime, end: datetime) -> InvoiceLine:
    return InvoiceLine(description, 1, amount, 0, proration=True, period_start=start, period_end=end)
