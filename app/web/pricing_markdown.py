"""The price list as Markdown: the plans in one table; actions, packs and services in others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from app.catalogue.terms import Catalogue, PlanTerms
from app.http import pricing_table
from app.http.filters import cents, credit_count

NOTHING = "No plans are on offer at the moment."


def document(catalogue: Catalogue, *, currency_name: str, markup_percent: int, contact: str) -> str:
    """The whole text. `contact` is an address for custom plans, "" where there is none."""
    parts = ["# Pricing", f"Amounts in {currency_name}, before tax."]
    if catalogue.plans:
        parts += ["## Plans", *_plans(catalogue)]
        if contact and any(plan.is_custom for plan in catalogue.plans):
            parts.append(f"For a custom plan write to {contact}.")
    else:
        parts.append(NOTHING)
    if catalogue.actions:
        parts += ["## What credits buy", _table(("Action", "Price"), _actions(catalogue))]
    if catalogue.packs:
        parts += ["## Credit packs", _table(("Pack", "Credits", "Price"), _packs(catalogue))]
    if catalogue.services:
        services = ((one.name, pricing_table.service_price(one, markup_percent)) for one in catalogue.services)
        parts += ["## Services from the wallet", _table(("Service", "Price"), services)]
    return "\n\n".join(parts) + "\n"


def _plans(catalogue: Catalogue) -> Iterator[str]:
    plans = catalogue.plans
    rows = [
        ("Tier", *(f"`{plan.key}`" for plan in plans)),
        ("Price a month", *(_price(plan, pricing_table.monthly_price(plan)) for plan in plans)),
    ]
    if any(plan.yearly_minor is not None for plan in plans):
        rows.append(("Price a year", *(_price(plan, pricing_table.yearly_price(plan)) for plan in plans)))
    for section in pricing_table.sections(catalogue):
        for row in section.rows:
            label = row.label if section.title == pricing_table.MORE else f"{section.title}: {row.label}"
            rows.append((label, *(" ".join(filter(None, (cell.text, cell.small))) for cell in row.cells)))
    yield _table(("Plan", *(plan.name for plan in plans)), rows)
    about = [f"- **{_safe(plan.name)}**: {_safe(plan.description)}" for plan in plans if plan.description]
    if about:
        yield "\n".join(about)


def _price(plan: PlanTerms, price: str) -> str:
    return "contact us" if plan.is_custom else price or "not sold by the year"


def _actions(catalogue: Catalogue) -> Iterable[tuple[str, str]]:
    return ((one.name, credit_count(one.credits)) for one in catalogue.actions)


def _packs(catalogue: Catalogue) -> Iterable[tuple[str, str, str]]:
    return ((one.name, credit_count(one.credits), cents(one.price_minor, one.currency)) for one in catalogue.packs)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] + ["---:"] * (len(heading) - 1), *rows]
    return "\n".join("| " + " | ".join(_safe(cell) for cell in line) + " |" for line in lines)


def _safe(text: str) -> str:
    """What staff wrote, where it cannot end a cell or begin a tag."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
