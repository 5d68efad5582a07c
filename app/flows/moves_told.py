"""What customers are told when their plan's terms become those of a newer version: before, after, or not after all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app import notices
from app.catalogue import reads
from app.catalogue.terms import PlanTerms
from app.money import minor_to_micros
from app.moves.models import VersionMove
from app.notices import Fact, phrases
from app.subscriptions import overrides
from app.subscriptions.comparison import limits_that_differ
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.periods import Interval
from app.subscriptions.sale import Sale
from app.subscriptions.standing import anchor_of


def begins(sub: Subscription, not_before: datetime) -> datetime:
    """The start of their first period that is not before this instant, and not begun yet."""
    if sub.period_end >= not_before:
        return sub.period_end
    period = anchor_of(sub).period_at(not_before, Interval(sub.interval))
    return period.start if period.start == not_before else period.end


def before(session: Session, move_id: str, sub: Subscription, old: PlanTerms, bought: Sale, at: datetime) -> bool:
    """Told ahead of time: from when, what it costs then, and what is different. Once for a move."""
    price = _price(sub.price_minor, bought.price.minor, sub.currency, sub.interval)
    what = differs(old, bought.terms)
    facts: dict[str, Fact] = {"plan": old.name, "from_at": at, "price": price, "what": what}
    return notices.tell(session, sub.customer_id, "plan_terms_change", key=f"{move_id}:told", **facts)


def after(session: Session, move_id: str, change: SubscriptionChange) -> bool:
    """Told of what was made at once, which is to nobody's loss."""
    was = change.details["from"]
    old = overrides.terms_of(session, change.customer_id, was["plan_id"], was["version"])
    new = overrides.terms_of(session, change.customer_id, change.plan_id, change.version)
    price = _price(was["price_minor"], change.price_minor, change.currency, change.interval)
    facts: dict[str, Fact] = {"plan": new.name, "price": price, "what": differs(old, new)}
    return notices.tell(session, change.customer_id, "plan_terms_changed", key=f"{move_id}:done", **facts)


def not_any_more(session: Session, move: VersionMove, customer_id: str, at: datetime) -> bool:
    """Told that what was announced is off."""
    name = reads.name_of(session, move.plan_id, move.from_version)
    return notices.tell(session, customer_id, "plan_terms_stay", key=f"{move.id}:stopped", plan=name, from_at=at)


def differs(old: PlanTerms, new: PlanTerms) -> str:
    """What else is different, in a sentence: `Different are: views, 1,000 before, 2,000 then.`"""
    told = [
        f"{each['key'].replace('_', ' ')}, {_amount(each['kind'], each['before'])} before, "
        f"{_amount(each['kind'], each['after'])} then"
        for each in limits_that_differ(old, new)
    ]
    if old.included_credits != new.included_credits:
        told.append(f"credits each month, {old.included_credits:,} before, {new.included_credits:,} then")
    told += [f"{feature}, no longer part of it" for feature in old.features if feature not in new.features]
    told += [f"{feature}, new" for feature in new.features if feature not in old.features]
    told += _beyond(old, new)
    return f"What is different: {'; '.join(told)}." if told else "Nothing else is different."


def _beyond(old: PlanTerms, new: PlanTerms) -> list[str]:
    """What one more costs past the allowance, where that is another price or way."""
    told = []
    for limit in new.limits:
        was = old.limit("allowance", limit.key) if limit.kind == "allowance" else None
        pair = (limit.overage_mode, limit.overage_micros)
        if was is not None and (was.overage_mode, was.overage_micros) != pair and limit.overage_mode is not None:
            each = "it stops" if limit.overage_micros is None else phrases.money(limit.overage_micros, new.currency)
            told.append(f"each of the {limit.key.replace('_', ' ')} past what is included, {each}")
    return told


def _amount(kind: str, amount: int | None) -> str:
    if kind == "flag":
        return "yes" if amount else "no"
    return "no limit" if amount is None else f"{amount:,}"


def _price(old: int, new: int, currency: str, interval: str) -> str:
    was, now = (phrases.money(minor_to_micros(minor, currency), currency) for minor in (old, new))
    if old == new:
        return f"The price stays {now} a {interval}."
    return f"You pay {now} a {interval} from then on, instead of {was}, before tax."
