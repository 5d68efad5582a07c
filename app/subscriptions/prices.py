"""What providers call our prices, and which of our prices a provider's id means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock
from app.catalogue.models import Plan, PlanVersion
from app.money import Money
from app.providers.values import PlanRef
from app.subscriptions.models import ProviderPrice, Subscription
from app.subscriptions.periods import Interval
from app.subscriptions.sale import Sale

# In the catalogue's `provider_ids`; a plan that a provider sells in one way only may call that `product_id`.
NAMES = {"monthly": ("monthly", "product_id"), "yearly": ("yearly",)}

KNOWN_AS = "known_as"  # in a subscription's `provider_state`: the id that was found to mean what it has


@dataclass(frozen=True, slots=True)
class Bought:
    """One price of one version of a plan, as a subscription has it. `price` is before tax."""

    plan_id: str
    version: int
    interval: Interval
    price: Money


def known(session: Session, channel: str, sale: Sale) -> str | None:
    """What this provider calls the price, where it has one: from the catalogue file, or made by us earlier."""
    named = _name(sale.terms.provider_ids.get(channel, {}), sale.interval)
    if named and sale.is_list_price:
        return named
    same = (
        ProviderPrice.channel == channel,
        ProviderPrice.plan_id == sale.terms.id,
        ProviderPrice.version == sale.terms.version,
        ProviderPrice.interval == sale.interval.value,
        ProviderPrice.price_minor == sale.price.minor,
        ProviderPrice.currency == sale.price.currency,
    )
    return session.scalars(select(ProviderPrice.provider_id).where(*same).limit(1)).one_or_none()


def remember(session: Session, channel: str, sale: Sale, provider_id: str) -> None:
    """Write down what the provider calls it. Again changes nothing."""
    row = {
        "channel": channel,
        "provider_id": provider_id,
        "plan_id": sale.terms.id,
        "version": sale.terms.version,
        "interval": sale.interval.value,
        "price_minor": sale.price.minor,
        "currency": sale.price.currency,
        "created_at": clock.now(),
    }
    session.execute(insert(ProviderPrice).values(row).on_conflict_do_nothing(index_elements=["channel", "provider_id"]))


def behind(
    session: Session, channel: str, provider_id: str, told: PlanRef | None, *, has: Subscription | None = None
) -> Bought | None:
    """Which of our prices a provider's id means: as the price itself tells, as we remember, as the catalogue says.

    `has` is the subscription that is asked about. The id it was known by goes on meaning what it has, whichever plan or
    version was given that id since: that is not what it bought (SPEC P2).
    """
    known = _told(session, told) or _remembered(session, channel, provider_id) or _had(provider_id, has)
    return known or _named(session, channel, provider_id, has)


def _had(provider_id: str, has: Subscription | None) -> Bought | None:
    if has is None or has.provider_state.get(KNOWN_AS) != provider_id:
        return None
    return Bought(has.plan_id, has.version, Interval(has.interval), Money(has.price_minor, has.currency))


def _told(session: Session, told: PlanRef | None) -> Bought | None:
    if told is None:
        return None
    version = and_(PlanVersion.plan_id == Plan.id, PlanVersion.number == told.version)
    found = session.scalars(select(Plan.id).join(PlanVersion, version).where(Plan.key == told.plan)).one_or_none()
    return Bought(found, told.version, Interval(told.interval), told.price) if found else None


def _remembered(session: Session, channel: str, provider_id: str) -> Bought | None:
    row = session.get(ProviderPrice, (channel, provider_id))
    if row is None:
        return None
    return Bought(row.plan_id, row.version, Interval(row.interval), Money(row.price_minor, row.currency))


def _named(session: Session, channel: str, provider_id: str, has: Subscription | None) -> Bought | None:
    """A price made by hand at the provider and named in the catalogue: of what `has` is, else of the newest version."""
    versions = select(PlanVersion).order_by(PlanVersion.created_at.desc(), PlanVersion.number.desc())
    found = [bought for version in session.scalars(versions) for bought in _named_by(version, channel, provider_id)]
    mine = (each for each in found if has is not None and _is_of(each, has))
    return next(mine, None) or next(iter(found), None)


def _named_by(version: PlanVersion, channel: str, provider_id: str) -> Iterator[Bought]:
    names = version.provider_ids.get(channel, {})
    for interval in Interval:
        minor = version.monthly_minor if interval is Interval.MONTH else version.yearly_minor
        if _name(names, interval) == provider_id and minor is not None:
            yield Bought(version.plan_id, version.number, interval, Money(minor, version.currency))


def _is_of(bought: Bought, has: Subscription) -> bool:
    what = (bought.plan_id, bought.version, bought.interval.value)
    return what == (has.plan_id, has.version, has.interval)


def _name(names: Mapping[str, str], interval: Interval) -> str | None:
    return next((names[name] for name in NAMES[f"{interval.value}ly"] if names.get(name)), None)
