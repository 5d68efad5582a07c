"""What a catalogue says, as values: read from a file or from the tables, the two can be compared.

Amounts as in the tables: prices in minor units, overage prices in micros a unit, None where there is no limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.money import EXPONENTS, MICROS_PER_UNIT, minor_to_micros

Facts = dict[str, str]  # what there is to say about a thing, in words a file would use; the same facts, the same terms
ProviderIds = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a plan; see PlanLimit."""

    kind: str
    key: str
    amount: int | None
    overage_mode: str | None = None
    overage_micros: int | None = None

    def told(self, currency: str) -> str:
        """`50,000, then wallet at 0.0001`, `unlimited`, `yes`."""
        if self.kind == "flag":
            return "yes" if self.amount else "no"
        amount = "unlimited" if self.amount is None else f"{self.amount:,}"
        if self.overage_mode is None or self.amount is None:
            return amount
        price = "" if self.overage_micros is None else f" at {written(self.overage_micros, currency)}"
        return f"{amount}, then {self.overage_mode}{price}"


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """A plan as the catalogue offers it now. `version` and `is_sold` are the tables' knowledge, not the file's."""

    key: str
    rank: int
    name: str
    description: str
    currency: str
    is_custom: bool = False
    monthly_minor: int | None = None
    yearly_minor: int | None = None
    included_credits: int = 0
    welcome_credits: int = 0
    downgrade: str = "period_end"
    features: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    provider_ids: ProviderIds = field(default_factory=dict)
    id: str = field(default="", compare=False)
    version: int = field(default=0, compare=False)
    is_sold: bool = field(default=False, compare=False)

    def limit(self, kind: str, key: str) -> Limit | None:
        """This limit, None where the plan does not speak of it."""
        return next((limit for limit in self.limits if (limit.kind, limit.key) == (kind, key)), None)

    def sold_facts(self) -> Facts:
        """What a subscriber buys: it never changes for them (SPEC P2)."""
        told = {
            "name": self.name,
            "description": self.description,
            "monthly": _price(self.monthly_minor, self.currency),
            "yearly": _price(self.yearly_minor, self.currency),
            "custom": "yes" if self.is_custom else "",
            "included credits": f"{self.included_credits:,}",
            "welcome credits": f"{self.welcome_credits:,}",
            "downgrade": self.downgrade,
            "features": "; ".join(self.features),
        }
        limits = sorted(self.limits, key=lambda limit: (limit.kind, limit.key))
        return told | {f"{limit.kind} {limit.key}": limit.told(self.currency) for limit in limits}

    def facts(self) -> Facts:
        """All of it, with what may change under a version that has been sold."""
        kinds = ("allowance", "count", "rate", "flag")  # pages show one after the other; the order is that in each
        order = ", ".join(limit.key for limit in sorted(self.limits, key=lambda limit: kinds.index(limit.kind)))
        return self.sold_facts() | {"rank": str(self.rank), "order of limits": order, **_ids(self.provider_ids)}


@dataclass(frozen=True, slots=True)
class MeterTerms:
    key: str
    name: str
    unit: str
    position: int = 0

    def facts(self) -> Facts:
        return {"name": self.name, "unit": self.unit, "position": str(self.position)}


@dataclass(frozen=True, slots=True)
class ActionTerms:
    key: str
    name: str
    credits: int
    position: int = 0

    def facts(self) -> Facts:
        return {"name": self.name, "credits": f"{self.credits:,}", "position": str(self.position)}


@dataclass(frozen=True, slots=True)
class PackTerms:
    key: str
    name: str
    credits: int
    currency: str
    price_minor: int
    position: int = 0
    provider_ids: ProviderIds = field(default_factory=dict)

    def facts(self) -> Facts:
        price = _price(self.price_minor, self.currency)
        told = {"name": self.name, "credits": f"{self.credits:,}", "price": price, "position": str(self.position)}
        return told | _ids(self.provider_ids)


@dataclass(frozen=True, slots=True)
class ServiceTerms:
    key: str
    name: str
    pricing: str
    markup_percent: int | None = None
    commission_percent: int | None = None
    position: int = 0

    def facts(self) -> Facts:
        told = {"name": self.name, "pricing": self.pricing, "position": str(self.position)}
        for word, percent in (("markup", self.markup_percent), ("commission", self.commission_percent)):
            told[word] = "" if percent is None else f"{percent} %"
        return told


@dataclass(frozen=True, slots=True)
class LlmPriceTerms:
    """What a model costs from a day on; see LlmPrice."""

    model: str
    day: str
    currency: str
    input_micros: int
    output_micros: int
    cached_micros: int
    written_micros: int
    steps: tuple[tuple[int, ...], ...] = ()

    @property
    def key(self) -> str:
        return f"{self.model} from {self.day}"

    def facts(self) -> Facts:
        """Each price for a million tokens."""
        first = (0, self.input_micros, self.output_micros, self.cached_micros, self.written_micros)
        told = {}
        for above, *prices in (first, *self.steps):
            for what, micros in zip(("input", "output", "cached input", "cache write"), prices, strict=True):
                place = f"{what} above {above:,} tokens" if above else what
                told[place] = f"{written(micros, self.currency)} {self.currency.upper()}"
        return told


@dataclass(frozen=True, slots=True)
class CheckInTerms:
    """Free credits once a day (SPEC C5): `credits` each day, and `bonuses` on top every so many days in a row.

    `expires_days`: how long what is given lasts. `most`: what a customer may hold of it at once. `day`: whose midnight
    a day begins at. `who` may check in. None is no limit.
    """

    credits: int
    bonuses: tuple[tuple[int, int], ...] = ()  # every how many days, and the credits then; in that order
    expires_days: int | None = None
    most: int | None = None
    day: str = "customer"
    who: str = "verified"

    @property
    def key(self) -> str:
        """There is one of it."""
        return "daily"

    def facts(self) -> Facts:
        told = {
            "credits": f"{self.credits:,}",
            "expires after days": "" if self.expires_days is None else f"{self.expires_days:,}",
            "most at once": "" if self.most is None else f"{self.most:,}",
            "day of": self.day,
            "who": self.who,
        }
        return told | {f"bonus every {days} days": f"{more:,}" for days, more in self.bonuses}


Thing = PlanTerms | MeterTerms | ActionTerms | PackTerms | ServiceTerms | LlmPriceTerms | CheckInTerms


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything on offer, each in the order in which pages show it."""

    plans: tuple[PlanTerms, ...] = ()
    meters: tuple[MeterTerms, ...] = ()
    actions: tuple[ActionTerms, ...] = ()
    packs: tuple[PackTerms, ...] = ()
    services: tuple[ServiceTerms, ...] = ()
    llm_prices: tuple[LlmPriceTerms, ...] = ()
    check_in: CheckInTerms | None = None

    def things(self) -> dict[tuple[str, str], Thing]:
        """Everything by what it is and its key; plans last, since they speak of meters."""
        kinds: tuple[tuple[str, tuple[Thing, ...]], ...] = (
            ("meter", self.meters),
            ("action", self.actions),
            ("pack", self.packs),
            ("service", self.services),
            ("llm price", self.llm_prices),
            ("check-in", () if self.check_in is None else (self.check_in,)),
            ("plan", self.plans),
        )
        return {(kind, thing.key): thing for kind, things in kinds for thing in things}


def written(micros: int, currency: str) -> str:
    """Micros as a file writes them: `29.00`, `0.0001`."""
    whole, part = divmod(micros, MICROS_PER_UNIT)
    decimals = f"{part:06d}".rstrip("0").ljust(EXPONENTS[currency], "0")
    return f"{whole}.{decimals}" if decimals else str(whole)


def written_price(minor: int | None, currency: str) -> str:
    """A price in minor units as a file writes it, without its currency; nothing where there is none."""
    return "" if minor is None else written(minor_to_micros(minor, currency), currency)


def _price(minor: int | None, currency: str) -> str:
    return "" if minor is None else f"{written_price(minor, currency)} {currency.upper()}"


def _ids(provider_ids: ProviderIds) -> Facts:
    return {f"{channel} {name}": value for channel, ids in provider_ids.items() for name, value in ids.items()}
