"""Which channels sell a thing, which of them a purchase goes through, and what becomes of one that cannot (SPEC V1).

Several channels may be set up at once. A subscription stays with the channel it began on; what is bought anew goes
through the one that was chosen, else the first that can. Nobody's name is asked, only what they declare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import activity, notices
from app.catalogue.terms import Catalogue, PackTerms, PlanTerms, ProviderIds
from app.db import transaction
from app.errors import Invalid, ProviderDown, UnsupportedByChannel
from app.money import Money
from app.payments import refused
from app.payments.refused import Refused
from app.people import staff
from app.providers import registry
from app.providers.errors import InvalidRequest, NotConfigured, NotFound, ProviderError
from app.providers.port import Provider
from app.providers.values import Cap
from app.subscriptions import prices, sale
from app.subscriptions.periods import Interval
from app.subscriptions.sale import Sale

Providers = Mapping[str, Provider]


@dataclass(frozen=True, slots=True)
class Thing:
    """What is sold: as it is filed (`RefusedCheckout.what`), and as people call it."""

    what: str
    name: str


@dataclass(frozen=True, slots=True)
class Lacking:
    """A thing on offer that a channel cannot sell. `kind` is "plan", "pack" or "topup".

    `key` is a plan's id, a pack's key; `remedy` what staff can do.
    """

    kind: str
    key: str
    name: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A configured channel, how many of the things on offer it sells, and those it cannot."""

    provider: Provider
    sells: int
    lacks: Sequence[Lacking]


TOP_UP = Thing("topup", "A top-up")


class NotSoldHere(UnsupportedByChannel):
    """This channel cannot sell this at the moment: staff have to configure something. Details: channel, field, what."""


def of_top_ups(providers: Providers) -> list[Provider]:
    """The channels that take an amount of one's choice, the default first."""
    return [each for each in providers.values() if Cap.CUSTOM_AMOUNT in each.capabilities]


def of_pack(providers: Providers, pack: PackTerms) -> list[Provider]:
    """The channels that sell this pack, the default first."""
    return [each for each in providers.values() if sells_pack(each, pack)]


def of_plan(session: Session, providers: Providers, bought: Sale) -> list[Provider]:
    """The channels that sell this plan by this interval at this price, the default first."""
    return [each for each in providers.values() if sells_plan(session, each, bought)]


def sells_pack(provider: Provider, pack: PackTerms) -> bool:
    """As a product of its own, else as any amount is sold."""
    return Cap.CUSTOM_AMOUNT in provider.capabilities or product_of(provider, pack.provider_ids) is not None


def product_of(provider: Provider, named: ProviderIds) -> str | None:
    """What the provider calls a pack, where the catalogue names it."""
    return named.get(provider.name, {}).get("product_id") or None


def sells_plan(session: Session, provider: Provider, bought: Sale) -> bool:
    """Whether it runs subscriptions, and has this price or can be given it."""
    if Cap.SUBSCRIPTIONS not in provider.capabilities:
        return False
    return Cap.NAMED_PRODUCTS not in provider.capabilities or prices.known(session, provider.name, bought) is not None


def unsold(session: Session, provider: Provider, terms: PlanTerms) -> list[Sale]:
    """The list prices of a plan that this provider cannot sell, of those that somebody pays for; monthly first."""
    return [bought for bought in _sales(terms) if not sells_plan(session, provider, bought)]


def _sales(terms: PlanTerms) -> list[Sale]:
    return [
        Sale(terms, interval, Money(minor, terms.currency), is_list_price=True)
        for interval in Interval
        if (minor := sale.price_of(terms, interval))
    ]


def through(providers: Providers, sellers: Sequence[Provider], asked: str | None) -> Provider:
    """The channel a purchase goes through: the one that was asked for, else the first that sells it.

    One that was asked for and cannot is the answer too: its flow refuses, and says why. Where nobody sells it, it is
    the default's to refuse. Raises Invalid for a channel that is not there, ProviderDown where there is none at all.
    """
    if asked is not None:
        if asked not in providers:
            known = sorted(providers)
            raise Invalid(f"There is no channel {asked!r} here.", field="channel", offered=known)
        return providers[asked]
    chosen = next(iter(sellers), None) or registry.default(providers)
    if chosen is None:
        raise ProviderDown("No payment provider is set up, so nothing can be paid.")
    return chosen


def lacking(session: Session, providers: Providers, catalogue: Catalogue) -> list[Channel]:
    """For staff: each channel, the default first, with what it lacks for every plan, cycle, pack and top-up."""
    return [_channel(session, provider, catalogue) for provider in providers.values()]


def _channel(session: Session, provider: Provider, catalogue: Catalogue) -> Channel:
    lacks = []
    for terms in catalogue.plans:
        for bought in unsold(session, provider, terms):
            line = f"{provider.name}.{bought.interval.value}ly"
            remedy = f"Make it at {provider.title}, and name it in the plan: {line} = its id."
            lacks.append(Lacking("plan", terms.id, plan(bought).name, remedy))
    for each in catalogue.packs:
        if not sells_pack(provider, each):
            line = f"{provider.name}.product_id"
            remedy = f"Make it at {provider.title}, and name it in the pack: {line} = its id."
            lacks.append(Lacking("pack", each.key, each.name, remedy))
    if Cap.CUSTOM_AMOUNT not in provider.capabilities:
        remedy = f"Make a product for amounts of one’s choice at {provider.title}, and name it in the settings."
        lacks.append(Lacking("topup", "", "Top-ups", remedy))
    things = sum(len(_sales(terms)) for terms in catalogue.plans) + len(catalogue.packs) + 1
    return Channel(provider, things - len(lacks), lacks)


def plan(bought: Sale) -> Thing:
    """One price of a plan."""
    every = bought.interval.value
    return Thing(f"plan:{bought.terms.key}:{every}", f"{bought.terms.name} by the {every}")


def pack(key: str, name: str) -> Thing:
    return Thing(f"pack:{key}", name)


def settled(session: Session, provider: Provider, thing: Thing) -> None:
    """A page for it was opened: in the transaction that says so."""
    refused.settle(session, provider.name, thing.what)


def refuse(
    session: Session, provider: Provider, error: ProviderError, thing: Thing, *, customer_id: str, order_id: str = ""
) -> NotSoldHere | None:
    """A checkout came to nothing: what the customer is told, None where they may simply try again.

    A definite no is kept, and staff are told of it once. Only of what was not configured we know that it will stay so.
    """
    if not isinstance(error, InvalidRequest) or isinstance(error, NotFound):
        return None  # what is not found is the customer: they are told of anew at the next try
    it = Refused(provider.name, thing.what, str(error), error.code, customer_id, order_id)
    with transaction(session):
        if refused.note(session, it):
            _tell_staff(session, it, thing, provider)
    if not isinstance(error, NotConfigured):
        return None
    sentence = f"{thing.name} cannot be bought through {provider.title} at the moment. We know, and will see to it."
    return NotSoldHere(sentence, channel=provider.name, field="channel", what=thing.what)


def not_configured(
    session: Session, provider: Provider, error: ProviderError, thing: Thing, *, customer_id: str
) -> NotSoldHere | None:
    """The same for a change of plan, where any other no says that the subscription is not what we took it for."""
    is_it = isinstance(error, NotConfigured)
    return refuse(session, provider, error, thing, customer_id=customer_id) if is_it else None


def _tell_staff(session: Session, it: Refused, thing: Thing, provider: Provider) -> None:
    activity.record(session, it.channel, "channel.refused", it.what, reason=it.reason, order=it.order_id)
    for person in staff.admins(session):
        notices.queue(session, "cannot_be_sold", person.email, thing=thing.name, title=provider.title, reason=it.reason)
