"""What payment providers call a plan or a pack: as lines to type, and what a configured channel still lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy.orm import Session

from app.catalogue.terms import PackTerms, PlanTerms, ProviderIds
from app.config import CHANNEL_KEYS
from app.flows import sold_by
from app.flows.sold_by import Providers
from app.providers.values import Cap
from app.subscriptions.prices import NAMES

CYCLES = ("monthly", "yearly")


def lines_of(provider_ids: ProviderIds) -> str:
    """`creem.product_id = prod_1`, a line each."""
    told = ((channel, name, value) for channel, names in provider_ids.items() for name, value in names.items())
    return "\n".join(f"{channel}.{name} = {value}" for channel, name, value in told)


def ids_of(lines: Iterable[str]) -> dict[str, dict[str, str]]:
    """The same read again; what makes no sense as an id is for the rules of the plan to refuse."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for line in lines:
        place, _, value = line.partition("=")
        channel, _, name = place.strip().partition(".")
        found[channel.strip()][name.strip()] = value.strip()
    return dict(found)


def fields_of(provider_ids: ProviderIds, channels: Collection[str]) -> dict[str, str]:
    """A plan's ids as the form has them: a field for each of `channels` and cycle, and lines for the others."""
    fields = {field_name(channel, cycle): "" for channel in channels for cycle in CYCLES}
    others: dict[str, dict[str, str]] = {}
    for channel, names in provider_ids.items():
        for name, value in names.items():
            if field_name(channel, name) in fields:
                fields[field_name(channel, name)] = value
            else:
                others.setdefault(channel, {})[name] = value
    return {**fields, "provider_ids": lines_of(others)}


def typed_ids(values: Mapping[str, str], lines: Iterable[str]) -> dict[str, dict[str, str]]:
    """The ids of a form with such fields; what a field says counts before a line that says it again."""
    found = ids_of(lines)
    for name, value in values.items():
        start, _, rest = name.partition("-")
        channel, _, cycle = rest.rpartition("-")
        if start == "id" and channel in CHANNEL_KEYS and cycle in CYCLES and value.strip():
            found.setdefault(channel, {})[cycle] = value.strip()
    return found


def field_name(channel: str, cycle: str) -> str:
    """The input's name and id."""
    return f"id-{channel}-{cycle}"


def lacking(session: Session, plan: PlanTerms, providers: Providers) -> list[str]:
    """Sentences about what configured channels cannot sell of this plan for want of an id."""
    told = []
    for provider in providers.values():
        if Cap.SUBSCRIPTIONS not in provider.capabilities:  # then no id would help
            continue
        cycles = [f"{bought.interval.value}ly" for bought in sold_by.unsold(session, provider, plan)]
        lacks = f"it needs a {provider.sold_as} id"
        if cycles and cycles == _sold(plan):
            told.append(f"{provider.title} cannot sell this plan yet: {lacks}.")
        elif cycles:
            told.append(f"{provider.title} cannot sell this plan {cycles[0]} yet: {lacks} for that.")
    return told


def stale(before: PlanTerms | None, after: PlanTerms, providers: Providers) -> list[str]:
    """Sentences about ids that stay while the price they stand for changes: the provider would charge the old one."""
    told = []
    for cycle in _sold(after) if before else []:
        if before is None or _price(before, cycle) in (None, _price(after, cycle)):
            continue
        for channel in after.provider_ids:
            kept = _id(after.provider_ids, channel, cycle)
            if kept and kept == _id(before.provider_ids, channel, cycle):
                there = providers.get(channel)
                name, called = (there.title, there.sold_as) if there else (channel, "product")
                told.append(
                    f"{name} still charges the old {cycle} price under {kept}: make a {called} at the new price there, "
                    "and name it here."
                )
    return told


def packs_lacking(packs: Iterable[PackTerms], providers: Providers) -> list[str]:
    """Sentences about what configured channels cannot sell of these packs: none named, and no amount of our choice."""
    told = []
    for provider in providers.values():
        unsold = [pack.name for pack in packs if not sold_by.sells_pack(provider, pack)]
        if unsold:
            told.append(f"{provider.title} cannot sell {', '.join(unsold)} yet: a {provider.sold_as} id is needed.")
    return told


def _sold(plan: PlanTerms) -> list[str]:
    """The cycles that somebody pays for."""
    return [cycle for cycle in CYCLES if _price(plan, cycle)]


def _price(plan: PlanTerms, cycle: str) -> int | None:
    return plan.monthly_minor if cycle == "monthly" else plan.yearly_minor


def _id(provider_ids: ProviderIds, channel: str, cycle: str) -> str:
    names = provider_ids.get(channel, {})
    return next((names[name] for name in NAMES[cycle] if names.get(name)), "")
