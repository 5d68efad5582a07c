"""The plan editor's form: terms as texts to type in, and what was typed as terms, with the mistakes at their fields."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from app.admin import provider_ids
from app.admin.typed import Typed
from app.catalogue.edit import PlanWrong
from app.catalogue.file import FLAGS, RATES
from app.catalogue.models import DOWNGRADES, OVERAGE_MODES
from app.catalogue.terms import Limit, PlanTerms, written, written_price
from app.http.filters import default_currency

MOST_ROWS = 100
ALLOWANCE, COUNT = "allowance", "count"
CONTROLS = ("csrf_token", "do", "confirmed")  # what the form sends beside what was typed
NOTHING = ""  # of a rate or a flag: the plan does not speak of it
FLAG_WORDS = ((NOTHING, "Not mentioned"), ("yes", "Allowed"), ("no", "Not allowed"))
_PARTS = {ALLOWANCE: ("key", "amount", "mode", "price"), COUNT: ("key", "amount")}
_PRICED = ("Enter the price", "Beyond no limit", "A meter that stops")


@dataclass
class PlanForm:
    """`values` are the texts of the simple fields, `rows` those of the limits that can be added and taken away."""

    values: dict[str, str]
    rows: dict[str, list[dict[str, str]]]
    errors: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str) -> None:
        if kind in self.rows and len(self.rows[kind]) < MOST_ROWS:
            self.rows[kind].append(dict.fromkeys(_PARTS[kind], ""))

    def remove(self, kind: str, place: int) -> None:
        if kind in self.rows and place < len(self.rows[kind]):
            del self.rows[kind][place]


def of_terms(terms: PlanTerms, channels: Collection[str] = ()) -> PlanForm:
    """The form as it is before anybody has typed; each of `channels` has fields of its own for its ids."""
    currency = terms.currency
    values = {
        "key": terms.key,
        "name": terms.name,
        "description": terms.description,
        "rank": str(terms.rank),
        "monthly": written_price(terms.monthly_minor, currency),
        "yearly": written_price(terms.yearly_minor, currency),
        "custom": "1" if terms.is_custom else "",
        "included_credits": str(terms.included_credits),
        "welcome_credits": str(terms.welcome_credits),
        "downgrade": terms.downgrade,
        "features": "\n".join(terms.features),
        **provider_ids.fields_of(terms.provider_ids, channels),
    }
    for limit in terms.limits:
        if limit.kind == "rate":
            values[f"rate-{limit.key}"] = _amount(limit.amount)
        elif limit.kind == "flag":
            values[f"flag-{limit.key}"] = "yes" if limit.amount else "no"
    rows = {kind: [_row(limit, currency) for limit in terms.limits if limit.kind == kind] for kind in _PARTS}
    return PlanForm(values, rows)


def of_typed(values: Mapping[str, str]) -> PlanForm:
    """The form as it was sent, rows in their order."""
    rows: dict[str, list[dict[str, str]]] = {}
    for kind, parts in _PARTS.items():
        places = sorted({_place(name, kind) for name in values} - {-1})[:MOST_ROWS]
        rows[kind] = [{part: values.get(f"{kind}-{place}-{part}", "") for part in parts} for place in places]
    simple = {name: value for name, value in values.items() if not name.startswith(tuple(f"{k}-" for k in _PARTS))}
    return PlanForm(simple, rows)


def flat(form: PlanForm) -> dict[str, str]:
    """The form as texts by name, where a row of a table is one text: what two editors' forms are compared by."""
    told = dict(form.values)
    for kind, rows in form.rows.items():
        seen = Counter(row["key"].strip() for row in rows)
        for place, row in enumerate(rows):
            key = row["key"].strip()
            name = f"{kind} {key}" if seen[key] == 1 and key else f"{kind} #{place}"
            told[name] = json.dumps({part: row[part].strip() for part in _PARTS[kind]})
    return told


def of_flat(told: Mapping[str, str]) -> PlanForm:
    """The form that `flat` made it of."""
    rows: dict[str, list[dict[str, str]]] = {kind: [] for kind in _PARTS}
    for name, value in told.items():
        kind, _, rest = name.partition(" ")
        if kind in rows and rest and value:
            rows[kind].append(json.loads(value))
    return PlanForm({name: value for name, value in told.items() if " " not in name}, rows)


def terms_of(form: PlanForm, *, key: str = "", limits_before: Sequence[Limit] = ()) -> PlanTerms:
    """What was typed, as terms; texts of the wrong shape become `form.errors`. `key` is that of a plan there is."""
    typed = Typed(_flat(form))
    made = PlanTerms(
        key=key or typed.line("key"),
        rank=typed.whole("rank", blank=0, most=1_000) or 0,
        name=typed.line("name"),
        description=typed.line("description"),
        currency=default_currency(),
        is_custom=typed.ticked("custom"),
        monthly_minor=typed.price("monthly"),
        yearly_minor=typed.price("yearly"),
        included_credits=typed.whole("included_credits", blank=0) or 0,
        welcome_credits=typed.whole("welcome_credits", blank=0) or 0,
        downgrade=typed.choice("downgrade", DOWNGRADES),
        features=typed.lines("features"),
        limits=(*_allowances(typed, form), *_counts(typed, form), *_fixed(typed, limits_before)),
        provider_ids=provider_ids.typed_ids(typed.values, typed.lines("provider_ids")),
    )
    form.errors = typed.errors
    return made


def refuse(form: PlanForm, refusal: PlanWrong) -> None:
    """Put each mistake beside the input it was typed into."""
    for mistake in refusal.details["mistakes"]:
        form.errors.setdefault(_input_of(form, mistake["field"], mistake["message"]), mistake["message"])


def _input_of(form: PlanForm, place: str, sentence: str) -> str:
    kind, _, key = place.partition(":")
    if kind not in _PARTS:
        return place.replace(":", "-")
    found = [number for number, row in enumerate(form.rows[kind]) if row["key"].strip() == key]
    part = "price" if kind == ALLOWANCE and sentence.startswith(_PRICED) else "key"
    return f"{kind}-{found[-1] if found else 0}-{part}"


def _flat(form: PlanForm) -> dict[str, str]:
    """Rows by their place on the page as it will be shown again."""
    rows = {
        f"{kind}-{place}-{part}": text
        for kind, found in form.rows.items()
        for place, row in enumerate(found)
        for part, text in row.items()
    }
    return form.values | rows


def _allowances(typed: Typed, form: PlanForm) -> list[Limit]:
    made = []
    for place, row in enumerate(form.rows[ALLOWANCE]):
        if not row["key"].strip() and not row["amount"].strip():
            continue  # a row that was added and left empty
        name = f"{ALLOWANCE}-{place}"
        amount, key = typed.amount(f"{name}-amount"), typed.line(f"{name}-key")
        if amount is None:
            made.append(Limit(ALLOWANCE, key, None))
            continue
        mode = typed.choice(f"{name}-mode", OVERAGE_MODES)
        price = None if mode == "block" else typed.unit_price(f"{name}-price")
        made.append(Limit(ALLOWANCE, key, amount, mode, price))
    return made


def _counts(typed: Typed, form: PlanForm) -> list[Limit]:
    filled = [place for place, row in enumerate(form.rows[COUNT]) if row["key"].strip() or row["amount"].strip()]
    return [
        Limit(COUNT, typed.line(f"{COUNT}-{place}-key"), typed.amount(f"{COUNT}-{place}-amount")) for place in filled
    ]


def _fixed(typed: Typed, before: Sequence[Limit]) -> list[Limit]:
    """Rates and permissions, of which there are only so many, in the order they had."""
    known = [("rate", key) for key in RATES] + [("flag", key) for key in FLAGS]
    order = [(limit.kind, limit.key) for limit in before if (limit.kind, limit.key) in known]
    made = []
    for kind, key in [*order, *(each for each in known if each not in order)]:
        name = f"{kind}-{key}"
        if typed.line(name) == NOTHING:
            continue
        if kind == "rate":
            made.append(Limit(kind, key, typed.amount(name)))
        else:
            made.append(Limit(kind, key, int(typed.choice(name, ("yes", "no")) == "yes")))
    return made


def _row(limit: Limit, currency: str) -> dict[str, str]:
    row = {"key": limit.key, "amount": _amount(limit.amount)}
    if limit.kind == ALLOWANCE:
        row["mode"] = limit.overage_mode or ""
        row["price"] = "" if limit.overage_micros is None else written(limit.overage_micros, currency)
    return row


def _place(name: str, kind: str) -> int:
    head, _, rest = name.partition("-")
    figures = rest.partition("-")[0]
    return int(figures) if head == kind and figures.isascii() and figures.isdigit() and len(figures) <= 4 else -1


def _amount(amount: int | None) -> str:
    return "unlimited" if amount is None else f"{amount:,}"
