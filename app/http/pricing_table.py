"""The plans side by side, in the words of both public price lists: one table, so the page and the Markdown agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from app.catalogue.terms import Catalogue, Limit, MeterTerms, PlanTerms, ServiceTerms
from app.http.filters import cents, credit_count, exact, number
from app.money import round_half_away

NO_LIMIT, BY_CONTRACT, NOT_INCLUDED, INCLUDED = "No limit", "By contract", "Not included", "Included"
HOW_CHARGED = {"wallet": "from the wallet", "invoice": "on the next invoice"}


@dataclass(frozen=True, slots=True)
class Cell:
    """What a plan says in a row. `mark` says that the text is a yes or a no, shown as a sign."""

    text: str
    small: str = ""
    mark: str = ""


YES, NO = Cell(INCLUDED, mark="check"), Cell(NOT_INCLUDED, mark="dash")


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One plan at a glance: its price for this way of paying, a line about it, and what it includes."""

    plan: PlanTerms
    price: str
    unit: str
    note: str
    lines: tuple[tuple[str, Cell], ...]


def cards(catalogue: Catalogue, *, yearly: bool) -> list[Card]:
    """The plans for who pays monthly, or yearly where a plan can be paid so."""
    rows = [row for section in sections(catalogue) if section.title != PAST for row in section.rows]
    made = []
    for place, plan in enumerate(catalogue.plans):
        lines = tuple((row.label, _brief(row.cells[place])) for row in rows if row.cells[place].text != NOT_INCLUDED)
        made.append(Card(plan, *_price(plan, yearly=yearly), lines))
    return made


def _brief(cell: Cell) -> Cell:
    """The cell where the label beside it says already what is counted."""
    return replace(cell, text=cell.text.removesuffix(" credits"))


def months_free(plans: Iterable[PlanTerms]) -> int:
    """How many months less a year costs when paid at once, if it is so for every plan that has both prices, else 0."""
    paid = [
        (plan.monthly_minor, plan.yearly_minor)
        for plan in plans
        if plan.monthly_minor and plan.yearly_minor is not None
    ]
    saved = {12 - yearly // monthly if yearly % monthly == 0 else 0 for monthly, yearly in paid}
    return max(saved.pop(), 0) if len(saved) == 1 else 0


INCLUDES, PAST, LIMITS, MORE = "Included each month", "Each one past the allowance", "Limits", "Also"


def sections(catalogue: Catalogue) -> list[Section]:
    """Every figure of the plans, in groups; a group without rows is left out."""
    plans, meters = catalogue.plans, catalogue.meters
    counted = [meter for meter in meters if any(plan.limit("allowance", meter.key) for plan in plans)]
    made = [
        Section(INCLUDES, (*(_allowance(plans, meter) for meter in counted), *_credits(plans))),
        Section(PAST, tuple(_overage(plans, meter) for meter in counted)),
        Section(LIMITS, tuple(_caps(plans))),
        Section(MORE, tuple(_extras(plans))),
    ]
    return [section for section in made if section.rows]


def service_price(service: ServiceTerms, markup_percent: int) -> str:
    """What a service billed from the wallet costs; `markup_percent` is for one that has none of its own."""
    if service.pricing == "list_price":
        return "At list price"
    markup = markup_percent if service.markup_percent is None else service.markup_percent
    return f"Cost plus {markup}%" if markup else "At cost"


def yearly_price(plan: PlanTerms) -> str:
    """The price of a year as both lists tell it, empty where the plan is only sold by the month."""
    return "" if plan.yearly_minor is None else cents(plan.yearly_minor, plan.currency)


def monthly_price(plan: PlanTerms) -> str:
    return "" if plan.monthly_minor is None else cents(plan.monthly_minor, plan.currency)


def _price(plan: PlanTerms, *, yearly: bool) -> tuple[str, str, str]:
    if plan.is_custom:
        return "Custom", "", "Contact us for a price"
    if yearly and plan.yearly_minor is not None:
        month = cents(round_half_away(plan.yearly_minor, 12), plan.currency)
        return yearly_price(plan), "a year", f"{month} a month"
    if plan.monthly_minor == 0:
        note = "No card needed"
    elif plan.yearly_minor is not None:
        note = f"or {yearly_price(plan)} a year"
    else:
        note = "Paid by the month" if yearly else ""
    return monthly_price(plan), "a month", note


def _allowance(plans: Iterable[PlanTerms], meter: MeterTerms) -> Row:
    return _row(meter.name, plans, "allowance", meter.key, _amount)


def _overage(plans: Iterable[PlanTerms], meter: MeterTerms) -> Row:
    currency = next(iter(plans)).currency

    def price(limit: Limit) -> Cell:
        if limit.amount is None:
            return Cell(NO_LIMIT)
        if limit.overage_micros is None:
            return Cell("Stops")
        return Cell(exact(limit.overage_micros, currency), HOW_CHARGED[str(limit.overage_mode)])

    return _row(meter.unit[:1].upper() + meter.unit[1:], plans, "allowance", meter.key, price)


def _credits(plans: Iterable[PlanTerms]) -> Iterable[Row]:
    if any(plan.included_credits for plan in plans):
        yield Row("Credits", tuple(_credit_cell(plan, plan.included_credits) for plan in plans))


def _caps(plans: Iterable[PlanTerms]) -> Iterable[Row]:
    for key in _keys(plans, "count"):
        yield _row(spoken(key), plans, "count", key, _amount)
    for key in _keys(plans, "rate"):
        yield _row(f"{spoken(key)} per minute", plans, "rate", key, _amount)


def _extras(plans: Iterable[PlanTerms]) -> Iterable[Row]:
    for key in _keys(plans, "flag"):
        yield _row(spoken(key), plans, "flag", key, lambda limit: YES if limit.amount else NO)
    if any(plan.welcome_credits for plan in plans):
        yield Row("Welcome credits", tuple(_credit_cell(plan, plan.welcome_credits) for plan in plans))
    for feature in dict.fromkeys(feature for plan in plans for feature in plan.features):
        yield Row(feature, tuple(YES if feature in plan.features else NO for plan in plans))


def _row(label: str, plans: Iterable[PlanTerms], kind: str, key: str, told: Callable[[Limit], Cell]) -> Row:
    found = ((plan, plan.limit(kind, key)) for plan in plans)
    return Row(label, tuple(_unsaid(plan) if limit is None else told(limit) for plan, limit in found))


def _amount(limit: Limit) -> Cell:
    return Cell(amount_of(limit))


def amount_of(limit: Limit) -> str:
    """`50,000`, `No limit`."""
    return NO_LIMIT if limit.amount is None else number(limit.amount)


def spoken(key: str) -> str:
    """`published_skills` as `Published skills`."""
    return key.replace("_", " ").capitalize()


def _credit_cell(plan: PlanTerms, count: int) -> Cell:
    return Cell(credit_count(count)) if count else _unsaid(plan)


def _unsaid(plan: PlanTerms) -> Cell:
    return Cell(BY_CONTRACT) if plan.is_custom else NO


def _keys(plans: Iterable[PlanTerms], kind: str) -> Iterable[str]:
    return dict.fromkeys(limit.key for plan in plans for limit in plan.limits if limit.kind == kind)
