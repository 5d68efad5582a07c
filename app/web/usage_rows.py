"""The rows of meters and of fixed limits, as the usage page and the overview show them: words, figures and a bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.http.filters import cents, default_currency, exact, number, places_of, short_day
from app.metering.reads import MeterNow
from app.money import micros_per_minor, round_half_away
from app.web.usage_ahead import Ahead
from app.web.usage_bar import NEAR, Bar, bar, percent_used
from app.web.usage_words import last_day, units

WHERE = {"wallet": ", from the wallet", "invoice": ", on the next invoice"}


@dataclass(frozen=True, slots=True)
class Tag:
    """The state of a meter: word and shape first, colour repeats them."""

    label: str
    icon: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class MeterRow:
    """One row. `note` stands under the bar on the usage page, `ahead` under the cost there; `price` on the overview."""

    name: str
    tag: Tag
    bar: Bar | None
    used: str
    allowed: str
    cost: str
    note: str = ""
    ahead: str = ""
    price: str = ""


def rows_of(ahead: Sequence[Ahead], *, is_over: bool = False) -> list[MeterRow]:
    """A row for each meter; `is_over`: of a period that has ended, where nothing is expected any more."""
    return [_row(one, is_over=is_over) for one in ahead]


def about(micros: int) -> str:
    """What is only expected, to the nearest cent."""
    currency = default_currency()
    return cents(round_half_away(micros, micros_per_minor(currency)), currency)


def price_of(meter: MeterNow) -> str:
    """What lies beyond the allowance: `$0.002 per view after 25,000`."""
    if meter.allowance is None:
        return "No limit in your plan"
    if meter.mode not in WHERE or meter.unit_micros is None:
        return f"Stops at {number(meter.allowance)}"
    return f"{exact(meter.unit_micros)} per {meter.unit} after {number(meter.allowance)}"


def tag_of(meter: MeterNow) -> Tag:
    """How full it is, in a word."""
    if meter.allowance is None:
        return Tag("No limit", "ok")
    if meter.used > meter.allowance:
        return Tag(f"{number(meter.used - meter.allowance)} over", "alert", "neg")
    if meter.used == meter.allowance:
        return Tag("All used", "lock", "neg" if meter.mode == "block" else "warn")
    used = percent_used(meter.used, meter.allowance)
    return Tag(f"{used}% used", "clock", "warn") if used >= NEAR else Tag(f"{used}% used", "ok")


def _row(one: Ahead, *, is_over: bool) -> MeterRow:
    meter = one.meter
    paid = meter.mode in WHERE and meter.allowance is not None
    costs = paid or meter.over_micros > 0
    free = "Fixed" if meter.allowance is not None else "Included"
    return MeterRow(
        name=meter.name,
        tag=tag_of(meter),
        bar=None if meter.allowance is None else bar(meter.used, meter.allowance, one.total),
        used=number(meter.used),
        allowed="no limit" if meter.allowance is None else f"of {number(meter.allowance)}",
        cost=exact(meter.over_micros, places=places_of((meter.over_micros,))) if costs else free,
        note=_note(one, is_over=is_over),
        ahead=_costs_ahead(one, is_over=is_over) if costs else "no overage",
        price="overage so far" if meter.over_micros else price_of(meter) if paid else "no overage",
    )


def _note(one: Ahead, *, is_over: bool) -> str:
    meter, said = one.meter, []
    if one.total > meter.used and not is_over:
        said.append(f"Heading for {number(one.total)} by {_by(meter)}.")
    said.append(f"{price_of(meter)}{WHERE.get(meter.mode or '', '') if meter.allowance is not None else ''}.")
    return " ".join(said)


def _costs_ahead(one: Ahead, *, is_over: bool) -> str:
    meter = one.meter
    if is_over:
        over = number(meter.over)
        return f"{over} {units(meter.unit, meter.over)} over" if meter.over else "no overage"
    if one.cost > meter.over_micros:
        return f"about {about(one.cost)} by {_by(meter)}"
    if not one.pace.days:
        return "too early to tell more"
    return "no more expected" if meter.over_micros else "none expected"


def _by(meter: MeterNow) -> str:
    return short_day(last_day(meter.period.end))
