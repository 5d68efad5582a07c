"""A pack as it is sold now: on offer, at the price that was shown. Refused with a sentence otherwise (SPEC C3)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.catalogue.models import Pack
from app.catalogue.terms import PackTerms, ProviderIds
from app.errors import Conflict, Invalid, NotFound
from app.money import round_half_away

MOST_IN_A_PACK = 1_000_000_000  # credits; also what an action may cost: what is granted or spent at once


class PackNotForSale(Invalid):
    """This pack is no longer sold. Details: field, pack."""

    code = "PACK_NOT_FOR_SALE"


class PackChanged(Conflict):
    """The pack is not what it was when it was shown. Details: pack, price_minor, credits, as they are now."""

    code = "PACK_CHANGED"


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody saw when they chose a pack: its price in minor units, before tax, and its credits."""

    price_minor: int
    credits: int


def for_sale(session: Session, key: str, shown: Shown | None = None) -> PackTerms:
    """The pack with this key. Raises NotFound, PackNotForSale for a retired one, and PackChanged unless as `shown`."""
    row = session.get(Pack, key)
    if row is None:
        raise NotFound("There is no such pack.", field="pack")
    if row.retired_at is not None:
        raise PackNotForSale(
            f"{row.name} is no longer offered. Choose one of the packs on offer.", field="pack", pack=row.key
        )
    pack = PackTerms(row.key, row.name, row.credits, row.currency, row.price_minor, row.position, row.provider_ids)
    if shown is not None and shown != Shown(pack.price_minor, pack.credits):
        raise PackChanged(
            f"{pack.name} has changed since this page was opened. Look at it again before you pay.",
            pack=pack.key,
            price_minor=pack.price_minor,
            credits=pack.credits,
        )
    return pack


def provider_ids(session: Session, key: str) -> ProviderIds:
    """What each provider calls this pack by now, also of one that is retired."""
    row = session.get(Pack, key)
    return row.provider_ids if row is not None else {}


def less_each(packs: tuple[PackTerms, ...], pack: PackTerms) -> int:
    """By how many percent a credit of this pack is cheaper than one of the smallest, rounded down. Never below 0."""
    alike = [each for each in packs if each.currency == pack.currency]
    first = min(alike, key=lambda each: (each.credits, each.position), default=pack)
    dearest = first.price_minor * pack.credits  # both prices of a credit, over one denominator
    return max(0, (dearest - pack.price_minor * first.credits) * 100 // dearest)


def each_in_hundredths(price_minor: int, credits_in_it: int) -> int:
    """What one credit costs, in hundredths of the minor unit (0.80¢ is 80), half away from zero."""
    return round_half_away(price_minor * 100, credits_in_it)
