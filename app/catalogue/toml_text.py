"""A catalogue as the text of a file: what `read` of it gives is the catalogue it was written from (SPEC P3)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from app.catalogue.terms import (
    ActionTerms,
    Catalogue,
    CheckInTerms,
    Limit,
    LlmPriceTerms,
    MeterTerms,
    PackTerms,
    PlanTerms,
    ProviderIds,
    ServiceTerms,
    written,
    written_price,
)
from app.catalogue.toml_table import UNLIMITED

Placed = TypeVar("Placed", bound=MeterTerms | ActionTerms | PackTerms | ServiceTerms)

_TABLES = {"count": "counts", "rate": "rates", "flag": "flags"}


def write(catalogue: Catalogue, *, currency: str, heading: str = "") -> str:
    """The file that offers exactly this. `heading` is a comment above it, line by line."""
    parts = [
        *_placed("meters", catalogue.meters, _meter),
        *_placed("actions", catalogue.actions, _action),
        *_placed("packs", catalogue.packs, _pack),
        *_placed("services", catalogue.services, _service),
    ]
    if catalogue.check_in is not None:
        parts.append(["[check_in]", *_check_in(catalogue.check_in)])
    parts += [[f"[plans.{plan.key}]", *_plan(plan)] for plan in catalogue.plans]
    parts += [list(_llm_price(price)) for price in catalogue.llm_prices]
    comments = [f"# {line}" for line in heading.splitlines()]
    top = [*comments, f"currency = {_text(currency)}"]
    return "\n\n".join("\n".join(lines) for lines in (top, *parts)) + "\n"


def _placed(name: str, things: Sequence[Placed], lines_of: Callable[[Placed], Iterator[str]]) -> Iterator[list[str]]:
    """The tables of `name`. The place of one in the file is its place on pages, unless it says another."""
    for place, thing in enumerate(things):
        own = [] if thing.position == place else [f"position = {thing.position}"]
        yield [f"[{name}.{thing.key}]", f"name = {_text(thing.name)}", *lines_of(thing), *own]


def _meter(meter: MeterTerms) -> Iterator[str]:
    yield f"unit = {_text(meter.unit)}"


def _action(action: ActionTerms) -> Iterator[str]:
    yield f"credits = {action.credits}"


def _pack(pack: PackTerms) -> Iterator[str]:
    yield f"credits = {pack.credits}"
    yield f"price = {_text(written_price(pack.price_minor, pack.currency))}"
    yield from _ids(pack.provider_ids)


def _service(service: ServiceTerms) -> Iterator[str]:
    yield f"pricing = {_text(service.pricing)}"
    for word, percent in (
        ("markup_percent", service.markup_percent),
        ("commission_percent", service.commission_percent),
    ):
        if percent is not None:
            yield f"{word} = {percent}"


def _check_in(rules: CheckInTerms) -> Iterator[str]:
    yield f"credits = {rules.credits}"
    if rules.bonuses:
        yield f"bonuses = {_inline({str(days): str(more) for days, more in rules.bonuses})}"
    if rules.expires_days is not None:
        yield f"expires_after_days = {rules.expires_days}"
    if rules.most is not None:
        yield f"most = {rules.most}"
    yield f"who = {_text(rules.who)}"
    yield f"day = {_text(rules.day)}"


def _plan(plan: PlanTerms) -> Iterator[str]:
    yield f"rank = {plan.rank}"
    yield f"name = {_text(plan.name)}"
    if plan.description:
        yield f"description = {_text(plan.description)}"
    yield from _sold_for(plan)
    if plan.features:
        yield f"features = [{', '.join(map(_text, plan.features))}]"
    yield f"downgrade = {_text(plan.downgrade)}"
    yield from _limits(plan)
    yield from _ids(plan.provider_ids)


def _sold_for(plan: PlanTerms) -> Iterator[str]:
    if plan.is_custom:
        yield "custom = true"
    for word, minor in (("monthly", plan.monthly_minor), ("yearly", plan.yearly_minor)):
        if minor is not None:
            yield f"{word} = {_text(written_price(minor, plan.currency))}"
    for word, count in (("included_credits", plan.included_credits), ("welcome_credits", plan.welcome_credits)):
        if count:
            yield f"{word} = {count}"


def _limits(plan: PlanTerms) -> Iterator[str]:
    for limit in plan.limits:
        if limit.kind == "allowance":
            yield f"allowances.{limit.key} = {_allowance(limit, plan.currency)}"
    for kind, table in _TABLES.items():
        caps = {limit.key: _cap(limit) for limit in plan.limits if limit.kind == kind}
        if caps:
            yield f"{table} = {_inline(caps)}"


def _allowance(limit: Limit, currency: str) -> str:
    """No meter of this file says how it goes on, so each allowance does, unless it stops."""
    if limit.overage_mode in (None, "block"):
        return _cap(limit)
    told = {"included": _cap(limit), "overage": _text(str(limit.overage_mode))}
    if limit.overage_micros is not None:
        told["overage_price"] = _text(written(limit.overage_micros, currency))
    return _inline(told)


def _cap(limit: Limit) -> str:
    if limit.kind == "flag":
        return "true" if limit.amount else "false"
    return _text(UNLIMITED) if limit.amount is None else str(limit.amount)


def _llm_price(price: LlmPriceTerms) -> Iterator[str]:
    yield "[[llm_prices]]"
    yield f"model = {_text(price.model)}"
    yield f"from = {price.day}"
    first = (price.input_micros, price.output_micros, price.cached_micros, price.written_micros)
    yield from _prices(first, price.currency)
    for above, *micros in price.steps:
        yield ""
        yield "[[llm_prices.above]]"
        yield f"tokens = {above}"
        yield from _prices(micros, price.currency)


def _prices(micros: Iterable[int], currency: str) -> Iterator[str]:
    for word, each in zip(("input", "output", "cached_input", "cache_write"), micros, strict=True):
        yield f"{word} = {_text(written(each, currency))}"


def _ids(provider_ids: ProviderIds) -> Iterator[str]:
    for channel, names in provider_ids.items():
        if names:
            yield f"provider_ids.{channel} = {_inline({name: _text(value) for name, value in names.items()})}"


def _inline(told: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{name} = {value}" for name, value in told.items()) + " }"


def _text(text: str) -> str:
    """What is printable is written in TOML as in JSON."""
    return json.dumps(text, ensure_ascii=False)
