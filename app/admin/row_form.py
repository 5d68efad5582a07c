"""The form of one meter, pack, action, service or price of a model: typed texts as terms, and terms as texts."""

from __future__ import annotations

from collections.abc import Mapping

from app.admin.provider_ids import ids_of, lines_of
from app.admin.typed import Typed
from app.catalogue.edit_rows import RowWrong
from app.catalogue.llm_prices import MOST_STEPS
from app.catalogue.models import PRICINGS
from app.catalogue.row_terms import MOST_COMMISSION, MOST_MARKUP, RowTerms
from app.catalogue.terms import (
    ActionTerms,
    LlmPriceTerms,
    MeterTerms,
    PackTerms,
    ServiceTerms,
    written,
    written_price,
)
from app.http.filters import default_currency

HINT = {"price_minor": "price"}  # the input of a term that is called otherwise
_TOKENS = ("input", "output", "cached_input", "cache_write")
_EMPTY_STEPS = 2  # offered below those there are


def blank(kind: str, place: int) -> Typed:
    """The empty form, whose row would come at this place."""
    if kind == "llm price":
        return Typed({})
    return Typed({"position": str(place)} | ({"pricing": PRICINGS[0]} if kind == "service" else {}))


def of_terms(terms: RowTerms) -> Typed:
    """What is on offer, as texts."""
    if isinstance(terms, LlmPriceTerms):
        return Typed(_of_prices(terms))
    values = {"name": terms.name, "position": str(terms.position)}
    if isinstance(terms, MeterTerms):
        values["unit"] = terms.unit
    elif isinstance(terms, ServiceTerms):
        values["pricing"] = terms.pricing
        values["markup_percent"] = "" if terms.markup_percent is None else str(terms.markup_percent)
        values["commission_percent"] = "" if terms.commission_percent is None else str(terms.commission_percent)
    else:
        values["credits"] = f"{terms.credits:,}"
    if isinstance(terms, PackTerms):
        values["price"] = written_price(terms.price_minor, terms.currency)
        values["provider_ids"] = lines_of(terms.provider_ids)
    return Typed(values)


def of_typed(values: Mapping[str, str]) -> Typed:
    """The form as it was sent; rows that were left empty between others are taken away."""
    told = {name: value for name, value in values.items() if not _is_step(name)}
    filled = [place for place in range(1, MOST_STEPS + 1) if any(_step(values, place))]
    for number, place in enumerate(filled, 1):
        told |= dict(zip(_names(number), _step(values, place), strict=True))
    return Typed(told)


def steps_shown(typed: Typed) -> range:
    """The rows of steps the form has: those there are, and some empty ones."""
    filled = sum(1 for place in range(1, MOST_STEPS + 1) if any(_step(typed.values, place)))
    return range(1, min(filled + _EMPTY_STEPS, MOST_STEPS) + 1)


def terms_of(kind: str, typed: Typed, before: RowTerms | None, *, place: int) -> RowTerms:
    """What was typed; mistakes are left in the form. The key, and what the form does not show, stay as they were."""
    if kind == "llm price":
        return _prices_of(typed, before if isinstance(before, LlmPriceTerms) else None)
    key = before.key if before else typed.line("key")
    name = typed.line("name")
    was = place if before is None or isinstance(before, LlmPriceTerms) else before.position
    position = typed.whole("position", blank=was) or 0
    if kind == "meter":
        return MeterTerms(key, name, typed.line("unit"), position)
    if kind == "service":
        pricing = typed.choice("pricing", PRICINGS)
        markup = typed.whole("markup_percent", most=MOST_MARKUP)
        commission = typed.whole("commission_percent", most=MOST_COMMISSION)
        return ServiceTerms(key, name, pricing, markup, commission, position)
    credits_in_it = typed.whole("credits", blank=0, least=1) or 0
    if kind == "action":
        return ActionTerms(key, name, credits_in_it, position)
    currency = before.currency if isinstance(before, PackTerms) else default_currency()
    ids = ids_of(typed.lines("provider_ids"))
    return PackTerms(key, name, credits_in_it, currency, typed.price("price") or 0, position, ids)


def refuse(typed: Typed, wrong: RowWrong) -> None:
    """Put each mistake of the domain beside its field."""
    for each in wrong.details["mistakes"]:
        typed.wrong(HINT.get(each["field"], each["field"]), each["message"])


def _of_prices(terms: LlmPriceTerms) -> dict[str, str]:
    first = (terms.input_micros, terms.output_micros, terms.cached_micros, terms.written_micros)
    values = {"model": terms.model, "day": terms.day}
    values |= {name: written(each, terms.currency) for name, each in zip(_TOKENS, first, strict=True)}
    for number, (above, *micros) in enumerate(terms.steps, 1):
        told = (f"{above:,}", *(written(each, terms.currency) for each in micros))
        values |= dict(zip(_names(number), told, strict=True))
    return values


def _prices_of(typed: Typed, before: LlmPriceTerms | None) -> LlmPriceTerms:
    model = before.model if before else typed.line("model")
    day = before.day if before else typed.line("day")
    steps = []
    for place in steps_shown(typed):
        if any(_step(typed.values, place)):
            above = typed.whole(f"above-{place}", blank=0, least=1) or 0
            steps.append((above, *_tokens_of(typed, f"-{place}")))
    currency = before.currency if before else default_currency()
    return LlmPriceTerms(model, day, currency, *_tokens_of(typed, ""), steps=tuple(steps))


def _tokens_of(typed: Typed, ending: str) -> tuple[int, int, int, int]:
    """Micros for a million tokens; what goes into and comes from a cache costs as other input unless it is said."""
    given = {name: typed.unit_price(name + ending) for name in _TOKENS}
    paid, cached, kept = given["input"] or 0, given["cached_input"], given["cache_write"]
    return paid, given["output"] or 0, paid if cached is None else cached, paid if kept is None else kept


def _names(place: int) -> tuple[str, ...]:
    return tuple(f"{name}-{place}" for name in ("above", *_TOKENS))


def _step(values: Mapping[str, str], place: int) -> tuple[str, ...]:
    return tuple(values.get(name, "").strip() for name in _names(place))


def _is_step(name: str) -> bool:
    return name.partition("-")[0] in ("above", *_TOKENS) and "-" in name
