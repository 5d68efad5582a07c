"""Tax by place and kind of buyer, pure (SPEC I2): which rates apply, and the tax lines of an amount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.invoices.arithmetic import tax_of
from app.money import micros_per_minor


class Rate(Protocol):
    """What is asked of a rate; a row of `tax_rate` is one. '' is anywhere, or anyone."""

    @property
    def country(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def customer_type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def rate_ppm(self) -> int: ...
    @property
    def number(self) -> str | None: ...
    @property
    def reverse_charge(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a buyer is and what it is, as far as tax asks. `abroad`: not in the seller's country."""

    country: str = ""
    region: str = ""
    customer_type: str = "person"
    tax_id: str = ""
    abroad: bool = False


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One tax on an invoice, in minor units. `reverse_charge`: the buyer owes it, so the amount is nothing."""

    name: str
    rate_ppm: int
    number: str | None  # the seller's registration for it
    base_minor: int
    amount_minor: int
    reverse_charge: bool = False


def rates_for(rates: Sequence[Rate], place: Place) -> list[Rate]:
    """The rates that apply in a place, by name. Of several with one name the narrowest counts: region before country
    before anywhere, and a kind of buyer before anyone."""
    found: dict[str, Rate] = {}
    for rate in sorted(rates, key=_narrowness):
        if _applies(rate, place):
            found[rate.name.casefold()] = rate
    return sorted(found.values(), key=lambda rate: (_narrowness(rate), rate.name.casefold()))


def lines_of(rates: Sequence[Rate], place: Place, base_micros: int, base_minor: int, currency: str) -> list[TaxLine]:
    """The tax lines of a net amount, each computed from the unrounded micros, rounded once, and none on another.

    `base_minor` is the same amount as it is printed.
    """
    return [_line(rate, place, base_micros, base_minor, currency) for rate in rates_for(rates, place)]


def note_of(lines: Sequence[TaxLine]) -> str | None:
    """The sentence the law wants where the buyer owes the tax; None elsewhere."""
    names = " and ".join(line.name for line in lines if line.reverse_charge)
    return f"Reverse charge: {names} is to be accounted for by the recipient." if names else None


def _line(rate: Rate, place: Place, base_micros: int, base_minor: int, currency: str) -> TaxLine:
    reverse = rate.reverse_charge and place.abroad and place.customer_type == "business" and bool(place.tax_id)
    return TaxLine(
        name=rate.name,
        rate_ppm=0 if reverse else rate.rate_ppm,
        number=rate.number,
        base_minor=base_minor,
        amount_minor=0 if reverse else tax_of(base_micros, rate.rate_ppm, micros_per_minor(currency)),
        reverse_charge=reverse,
    )


def _applies(rate: Rate, place: Place) -> bool:
    return (
        rate.country in ("", place.country)
        and rate.region.casefold() in ("", place.region.casefold())
        and rate.customer_type in ("", place.customer_type)
    )


def _narrowness(rate: Rate) -> tuple[bool, bool, bool]:
    return bool(rate.country), bool(rate.region), bool(rate.customer_type)
