"""A catalogue as a TOML file (SPEC P3): what it must look like, and every mistake in it with its place.

Prices are texts in quotes, since a number with a point would be a float. docs/catalogue.md is for those who write one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

from app.catalogue import llm_prices
from app.catalogue.check_in import LONGEST_EXPIRY, LONGEST_ROW, MOST_BONUSES, MOST_CREDITS
from app.catalogue.models import DAYS_OF, DOWNGRADES, OVERAGE_MODES, PRICINGS, WHO_CHECKS_IN
from app.catalogue.packs import MOST_IN_A_PACK
from app.catalogue.terms import (
    ActionTerms,
    Catalogue,
    CheckInTerms,
    Limit,
    MeterTerms,
    PackTerms,
    PlanTerms,
    ServiceTerms,
)
from app.catalogue.toml_table import Mistake, Table
from app.errors import Refusal

RATES = ("reads", "writes")  # per minute
FLAGS = ("production_access",)
LAST_PLACE = 1_000  # of what is shown in an order
_ROW = re.compile(r"[2-9]\Z|[1-9]\d\d?\Z", re.ASCII)  # of days, written as a key of TOML
_PLAN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}\Z", re.ASCII)  # the API's tiers are STARTER here, studio there


class CatalogueWrong(Refusal):
    """The file cannot be used. Details: mistakes, each with place and sentence."""

    code = "CATALOGUE_INVALID"


def read(text: str, *, currency: str, name: str = "the file") -> Catalogue:
    """The catalogue a file describes, in an installation of this currency. Raises CatalogueWrong with every mistake."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise _refusal(name, [Mistake(name, f"is not TOML: {wrong}.")]) from wrong
    mistakes: list[Mistake] = []
    top = Table(values, "", mistakes)
    if top.text("currency", currency).lower() != currency:
        top.wrong("currency", f"is not that of this installation, which is {currency.upper()}.")
    found = _catalogue(top, currency)
    top.finish()
    _check_plan_keys(top, found.plans)
    if mistakes:
        raise _refusal(name, mistakes)
    return found


def _refusal(name: str, mistakes: list[Mistake]) -> CatalogueWrong:
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    lines = "\n".join(f"  {mistake}" for mistake in mistakes)
    told = [{"place": mistake.place, "message": mistake.sentence} for mistake in mistakes]
    return CatalogueWrong(f"{count} in {name}; nothing was changed.\n{lines}", mistakes=told)


def _catalogue(top: Table, currency: str) -> Catalogue:
    meters, defaults = [], {}
    for position, (key, table) in enumerate(top.tables("meters")):
        defaults[key] = _overage(table, None)
        meters.append(MeterTerms(key, table.text("name"), table.text("unit"), _place(table, position)))
        table.finish()
    actions = [_action(*entry, position) for position, entry in enumerate(top.tables("actions"))]
    packs = [_pack(*entry, position, currency) for position, entry in enumerate(top.tables("packs"))]
    services = [_service(*entry, position) for position, entry in enumerate(top.tables("services"))]
    return Catalogue(
        meters=tuple(sorted(meters, key=_on_pages)),
        actions=tuple(sorted(actions, key=_on_pages)),
        packs=tuple(sorted(packs, key=_on_pages)),
        services=tuple(sorted(services, key=_on_pages)),
        llm_prices=llm_prices.read(top, currency),
        check_in=_check_in(top),
        plans=tuple(
            sorted(
                (_plan(key, table, currency, defaults) for key, table in top.tables("plans", _PLAN_KEY)),
                key=lambda plan: (plan.rank, plan.key),
            )
        ),
    )


def _place(table: Table, position: int) -> int:
    """Where it comes on pages: where it stands in the file, unless it says another place."""
    return table.whole("position", position, most=LAST_PLACE)


def _on_pages(thing: MeterTerms | ActionTerms | PackTerms | ServiceTerms) -> tuple[int, str]:
    return thing.position, thing.key


Overage = tuple[str, int | None]


def _overage(table: Table, default: Overage | None) -> Overage:
    """How a meter goes on beyond the allowance: the mode, and the price of a unit where one is charged."""
    inherited = default or ("block", None)
    mode = table.choice("overage", OVERAGE_MODES, inherited[0])
    micros = table.micros("overage_price")
    if mode == "block":
        if micros is not None:
            table.wrong("overage_price", 'is of no use while overage is "block".')
        return mode, None
    if micros is None:
        micros = inherited[1]
    if micros is None:
        table.wrong("overage_price", f'is missing: overage is "{mode}".')
    return mode, micros


def _action(key: str, table: Table, position: int) -> ActionTerms:
    costs = table.whole("credits", least=1, most=MOST_IN_A_PACK)
    made = ActionTerms(key, table.text("name"), costs, _place(table, position))
    table.finish()
    return made


def _pack(key: str, table: Table, position: int, currency: str) -> PackTerms:
    price = table.price("price", currency)
    if not price:
        table.wrong("price", "must be more than nothing.")
    made = PackTerms(
        key,
        table.text("name"),
        table.whole("credits", least=1, most=MOST_IN_A_PACK),
        currency,
        price or 1,
        _place(table, position),
        _provider_ids(table),
    )
    table.finish()
    return made


def _service(key: str, table: Table, position: int) -> ServiceTerms:
    pricing = table.choice("pricing", PRICINGS)
    markup = table.whole("markup_percent", most=1_000) if table.has("markup_percent") else None
    commission = table.whole("commission_percent", most=100) if table.has("commission_percent") else None
    if markup is not None and pricing != "cost_plus":
        table.wrong("markup_percent", 'is for pricing = "cost_plus".')
    if commission is not None and pricing != "list_price":
        table.wrong("commission_percent", 'is for pricing = "list_price".')
    made = ServiceTerms(key, table.text("name"), pricing, markup, commission, _place(table, position))
    table.finish()
    return made


def _check_in(top: Table) -> CheckInTerms | None:
    """The daily check-in, which is off in a file that does not speak of it."""
    table = top.table("check_in")
    if not top.is_table("check_in"):
        return None
    daily = table.whole("credits", least=1, most=MOST_CREDITS)
    most = table.whole("most") if table.has("most") else None
    if most is not None and most < daily:
        table.wrong("most", "must be no less than credits.")
    days = "expires_after_days"
    made = CheckInTerms(
        credits=daily,
        bonuses=_bonuses(table.table("bonuses")),
        expires_days=table.whole(days, least=1, most=LONGEST_EXPIRY) if table.has(days) else None,
        most=most,
        day=table.choice("day", DAYS_OF, DAYS_OF[0]),
        who=table.choice("who", WHO_CHECKS_IN, WHO_CHECKS_IN[1]),
    )
    table.finish()
    return made


def _bonuses(table: Table) -> tuple[tuple[int, int], ...]:
    """`bonuses = { 7 = 30 }`: 30 more on every 7th day in a row."""
    made = []
    for days in table.named(_ROW, f"is no number of days from 2 to {LONGEST_ROW}."):
        more = table.whole(days, least=1, most=MOST_CREDITS)
        if _ROW.match(days) and int(days) <= LONGEST_ROW:
            made.append((int(days), more))
        elif _ROW.match(days):
            table.wrong(days, f"is no number of days from 2 to {LONGEST_ROW}.")
    if len(made) > MOST_BONUSES:
        table.wrong("", f"are {MOST_BONUSES} at most.")
    return tuple(sorted(made))


def _plan(key: str, table: Table, currency: str, defaults: dict[str, Overage]) -> PlanTerms:
    custom = table.yes("custom")
    monthly, yearly = table.price("monthly", currency), table.price("yearly", currency)
    if custom and (monthly is not None or yearly is not None):
        table.wrong("custom", "plans have no public price: leave monthly and yearly out.")
    if not custom and monthly is None:
        table.wrong("monthly", "is missing; a plan without a public price says custom = true.")
    plan = PlanTerms(
        key=key,
        rank=table.whole("rank", most=1_000),
        name=table.text("name", longest=60),
        description=table.text("description", ""),
        currency=currency,
        is_custom=custom,
        monthly_minor=monthly,
        yearly_minor=yearly,
        included_credits=table.whole("included_credits", 0),
        welcome_credits=table.whole("welcome_credits", 0),
        downgrade=table.choice("downgrade", DOWNGRADES, "period_end"),
        features=table.texts("features"),
        limits=(*_allowances(table.table("allowances"), defaults), *_caps(table)),
        provider_ids=_provider_ids(table),
    )
    table.finish()
    return plan


def _allowances(table: Table, defaults: dict[str, Overage]) -> Iterable[Limit]:
    """`views = 1000` with the meter's overage, or `views = { included = 1000, overage = "block" }` with its own."""
    for key in table.named():
        if key not in defaults:
            table.wrong(key, "is no meter of this file.")
        mode, micros = defaults.get(key, ("block", None))
        if table.is_table(key):
            own = table.table(key)
            amount = own.amount("included")
            mode, micros = _overage(own, (mode, micros))
            own.finish()
        else:
            amount = table.amount(key)
        # Beyond no limit there is nothing, so nothing is said about it.
        yield Limit("allowance", key, amount, *((None, None) if amount is None else (mode, micros)))


def _caps(table: Table) -> Iterable[Limit]:
    counts, rates, flags = table.table("counts"), table.table("rates"), table.table("flags")
    for key in counts.named():
        yield Limit("count", key, counts.amount(key))
    for key in rates.named():
        if key not in RATES:
            rates.wrong(key, f"is no rate. Known are: {', '.join(RATES)}.")
        yield Limit("rate", key, rates.amount(key))
    for key in flags.named():
        if key not in FLAGS:
            flags.wrong(key, f"is no flag. Known are: {', '.join(FLAGS)}.")
        yield Limit("flag", key, int(flags.yes(key)))


def _provider_ids(table: Table) -> dict[str, dict[str, str]]:
    """`provider_ids.stripe = { monthly = "price_…" }`: what each provider calls the thing."""
    return {
        channel: {name: names.text(name) for name in names.named()} for channel, names in table.tables("provider_ids")
    }


def _check_plan_keys(top: Table, plans: Iterable[PlanTerms]) -> None:
    seen: dict[str, str] = {}
    for plan in plans:
        other = seen.setdefault(plan.key.lower(), plan.key)
        if other != plan.key:
            top.wrong(f"plans.{plan.key}", f"differs from plans.{other} in capitals only.")
