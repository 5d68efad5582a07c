"""The form for terms negotiated with one customer: what is typed as terms, and what they would change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from app import digest
from app.admin.typed import Typed
from app.catalogue.difference import Differing, of_facts
from app.catalogue.models import OVERAGE_MODES
from app.catalogue.terms import PlanTerms, written, written_price
from app.subscriptions.models import PlanOverride
from app.subscriptions.overrides import Negotiated, laid_over

PERCENTAGES = {"markup_percent": "markup", "commission_percent": "commission"}


@dataclass(frozen=True)
class Row:
    """A limit that can be negotiated: `id` begins its inputs' names, `plan` says what the plan has."""

    id: str
    name: str  # "kind:key"
    kind: str
    title: str
    plan: str


def rows_of(terms: PlanTerms | None, override: PlanOverride | None, meters: Iterable[str]) -> list[Row]:
    """The limits of the plan, those negotiated before, and every meter."""
    limits = terms.limits if terms else ()
    currency = terms.currency if terms else ""
    said = {f"{limit.kind}:{limit.key}": limit.told(currency) for limit in limits}
    names = dict.fromkeys([*said, *(override.limits if override else ()), *(f"allowance:{key}" for key in meters)])
    return [_row(name, said.get(name, "not mentioned")) for name in names]


def of_override(override: PlanOverride | None, currency: str) -> dict[str, str]:
    """The terms there are, as texts; empty ones for none."""
    if override is None:
        return {}
    values = {
        "plan_id": override.plan_id or "",
        "monthly": written_price(override.monthly_minor, currency),
        "yearly": written_price(override.yearly_minor, currency),
        **{name: "" if getattr(override, name) is None else str(getattr(override, name)) for name in PERCENTAGES},
    }
    for name, said in override.limits.items():
        place = _id(name)
        if "amount" in said:
            values[f"{place}-amount"] = _amount(name, said["amount"])
        if said.get("overage_mode"):
            values[f"{place}-mode"] = said["overage_mode"]
        if said.get("overage_micros") is not None:
            values[f"{place}-price"] = written(said["overage_micros"], currency)
    return values


def terms_of(typed: Typed, rows: Iterable[Row], *, plan_ids: Iterable[str]) -> Negotiated:
    """What was typed. An empty field is the plan's own; a percentage that is empty is the service's own."""
    plan_id = typed.choice("plan_id", ("", *plan_ids))
    made = Negotiated(
        plan_id=plan_id or None,
        monthly_minor=typed.price("monthly"),
        yearly_minor=typed.price("yearly"),
        limits={row.name: said for row in rows if (said := _said(typed, row))},
        markup_percent=typed.whole("markup_percent", most=1_000),
        commission_percent=typed.whole("commission_percent", most=100),
    )
    empty = Negotiated(plan_id=made.plan_id)
    if made == empty:
        typed.wrong("monthly", "Enter what differs from the plan, or end the terms there are.")
    return made


def difference(terms: PlanTerms | None, before: PlanOverride | None, wanted: Negotiated) -> Differing:
    """What these terms would change for the customer."""
    return of_facts(_facts(terms, before), _facts(terms, PlanOverride(**asdict(wanted))))


def shown(facts: Differing, wanted: Negotiated) -> str:
    """What of these terms a person has seen, in short."""
    return digest.of([facts, asdict(wanted)])


def _facts(terms: PlanTerms | None, override: PlanOverride | None) -> dict[str, str]:
    told = laid_over(terms, override).sold_facts() if terms else {}
    for name, word in PERCENTAGES.items():
        percent = getattr(override, name, None)
        told[word] = "" if percent is None else f"{percent}%"
    if override is not None and (terms is None or override.plan_id not in (None, terms.id)):
        # Terms for another plan than theirs: nothing of today's changes, so what was agreed is told as it is.
        agreed = {name: getattr(override, name) for name in ("monthly_minor", "yearly_minor", "limits")}
        told["agreed for another plan"] = json.dumps(agreed, sort_keys=True)
    return told


def _said(typed: Typed, row: Row) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if typed.line(f"{row.id}-amount"):
        said["amount"] = _flag(typed, row) if row.kind == "flag" else typed.amount(f"{row.id}-amount")
    if row.kind == "allowance":
        mode = typed.choice(f"{row.id}-mode", ("", *OVERAGE_MODES)) if typed.line(f"{row.id}-mode") else ""
        price = typed.unit_price(f"{row.id}-price")
        said |= {"overage_mode": mode} if mode else {}
        said |= {"overage_micros": price} if price is not None else {}
    return said


def _flag(typed: Typed, row: Row) -> int:
    return int(typed.choice(f"{row.id}-amount", ("yes", "no")) == "yes")


def _row(name: str, plan: str) -> Row:
    kind, _, key = name.partition(":")
    title = key.replace("_", " ").capitalize()
    words = {"rate": f"{title} per minute", "allowance": f"{title} a month", "count": title, "flag": title}
    return Row(_id(name), name, kind, words[kind], plan)


def _id(name: str) -> str:
    return name.replace(":", "-")


def _amount(name: str, amount: int | None) -> str:
    if name.startswith("flag:"):
        return "yes" if amount else "no"
    return "unlimited" if amount is None else f"{amount:,}"
