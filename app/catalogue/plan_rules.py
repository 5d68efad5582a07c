"""What makes sense as a plan, wherever it was written: each mistake with the field it is in. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.catalogue.file import FLAGS, RATES
from app.catalogue.models import DOWNGRADES, OVERAGE_MODES
from app.catalogue.terms import Limit, PlanTerms, ProviderIds
from app.catalogue.toml_table import LARGEST, LARGEST_PRICE

HIGHEST_RANK = 1_000
MOST_FEATURES = 30
_PLAN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}\Z", re.ASCII)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z", re.ASCII)
_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,39}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A mistake: the field of PlanTerms it is in, for a limit its "kind:key", and a sentence for the field."""

    field: str
    sentence: str


def mistakes(terms: PlanTerms, *, meters: Collection[str]) -> list[Wrong]:
    """Everything wrong with these terms; `meters` are the ones the catalogue has."""
    return [*_words(terms), *_prices(terms), *_numbers(terms), *_limits(terms, meters), *_ids(terms)]


def _words(terms: PlanTerms) -> Iterator[Wrong]:
    if not _PLAN_KEY.match(terms.key):
        yield Wrong("key", "Begin with a letter, go on with letters, digits, - and _, at most 40.")
    if not _is_line(terms.name, 60) or not terms.name:
        yield Wrong("name", "Give a name of 1 to 60 characters.")
    if not _is_line(terms.description, 200):
        yield Wrong("description", "Use one line of at most 200 characters.")
    if len(terms.features) > MOST_FEATURES or not all(one and _is_line(one, 200) for one in terms.features):
        yield Wrong("features", f"Use at most {MOST_FEATURES} lines of at most 200 characters.")
    if terms.downgrade not in DOWNGRADES:
        yield Wrong("downgrade", f"Choose one of {', '.join(DOWNGRADES)}.")


def _prices(terms: PlanTerms) -> Iterator[Wrong]:
    if terms.is_custom:
        if terms.monthly_minor is not None or terms.yearly_minor is not None:
            yield Wrong("custom", "A plan with a price by contract has no public price: leave both prices empty.")
        return
    if terms.monthly_minor is None:
        yield Wrong("monthly", "Enter a price, 0.00 for a free plan, or choose a price by contract.")
    for name, minor in (("monthly", terms.monthly_minor), ("yearly", terms.yearly_minor)):
        if minor is not None and not 0 <= minor <= LARGEST_PRICE:
            yield Wrong(name, "Enter a smaller price.")


def _numbers(terms: PlanTerms) -> Iterator[Wrong]:
    if not 0 <= terms.rank <= HIGHEST_RANK:
        yield Wrong("rank", f"Enter a whole number from 0 to {HIGHEST_RANK:,}.")
    for name in ("included_credits", "welcome_credits"):
        if not 0 <= getattr(terms, name) <= LARGEST:
            yield Wrong(name, f"Enter a whole number from 0 to {LARGEST:,}.")


def _limits(terms: PlanTerms, meters: Collection[str]) -> Iterator[Wrong]:
    places = [f"{limit.kind}:{limit.key}" for limit in terms.limits]
    for place, count in Counter(places).items():
        if count > 1:
            yield Wrong(place, "This is there twice.")
    for limit, place in zip(terms.limits, places, strict=True):
        sentence = _of_limit(limit, meters)
        if sentence:
            yield Wrong(place, sentence)


def _of_limit(limit: Limit, meters: Collection[str]) -> str:
    known = {"allowance": meters, "rate": RATES, "flag": FLAGS}
    if limit.kind not in ("count", *known):
        return "Choose a kind of limit."
    if limit.kind in known and limit.key not in known[limit.kind]:
        return f"Choose one of {', '.join(known[limit.kind])}."
    if not _KEY.match(limit.key):
        return "Begin with a small letter, go on with small letters, digits and _, at most 40."
    if limit.amount is not None and not 0 <= limit.amount <= (1 if limit.kind == "flag" else LARGEST):
        return f"Enter a whole number from 0 to {LARGEST:,}."
    if limit.kind == "flag" and limit.amount is None:
        return "Say yes or no."
    return _of_overage(limit)


def _of_overage(limit: Limit) -> str:
    if limit.kind != "allowance" or limit.amount is None:
        spoken = limit.overage_mode is not None or limit.overage_micros is not None
        return "Beyond no limit there is nothing to charge." if spoken else ""
    if limit.overage_mode not in OVERAGE_MODES:
        return "Say what happens past the allowance."
    if limit.overage_mode == "block":
        return "" if limit.overage_micros is None else "A meter that stops has no price past the allowance."
    if limit.overage_micros is None or not 0 <= limit.overage_micros <= LARGEST:
        return "Enter the price of one unit past the allowance."
    return ""


def _ids(terms: PlanTerms) -> Iterator[Wrong]:
    if not ids_are_right(terms.provider_ids):
        yield Wrong("provider_ids", "Write lines like stripe.monthly = price_123.")


def ids_are_right(provider_ids: ProviderIds) -> bool:
    """Whether these can be a plan's or a pack's names at the providers."""
    return all(
        _CHANNEL.match(channel)
        and all(_KEY.match(name) and value and _is_line(value, 200) for name, value in names.items())
        for channel, names in provider_ids.items()
    )


def _is_line(text: str, longest: int) -> bool:
    return text.isprintable() and text.strip() == text and len(text) <= longest
