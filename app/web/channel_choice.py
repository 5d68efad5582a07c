"""Choosing on whose page to pay, where more than one provider sells the thing (SPEC V1); else there is no question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from flask import current_app, request

from app.errors import Invalid
from app.flows import sold_by
from app.providers.port import Provider
from app.providers.values import Cap

FIELD = "channel"
_LONGEST = 40


@dataclass(frozen=True)
class Choice:
    """One provider as a radio button. `detail` is what is different with it."""

    value: str
    label: str
    detail: str
    chosen: bool


@dataclass(frozen=True)
class Offered:
    """The providers that sell a thing, and the one that is chosen; None where there is no provider at all."""

    sellers: Sequence[Provider]
    chosen: Provider | None

    @property
    def choices(self) -> list[Choice]:
        """Nothing to choose from is no question."""
        if len(self.sellers) < 2:
            return []
        mixed = len({Cap.MERCHANT_OF_RECORD in each.capabilities for each in self.sellers}) > 1
        return [
            Choice(each.name, each.title, _detail(each) if mixed else "", each is self.chosen) for each in self.sellers
        ]

    @property
    def title(self) -> str:
        return self.chosen.title if self.chosen else ""

    @property
    def adds_tax(self) -> bool:
        """Whether tax comes on top there: a merchant of record works it out from where the buyer is."""
        could_be = self.sellers if len(self.sellers) > 1 else [each for each in (self.chosen,) if each]
        return any(Cap.MERCHANT_OF_RECORD in each.capabilities for each in could_be)

    @property
    def sells(self) -> bool:
        """Whether it can be bought at all."""
        return bool(self.sellers)


def all_of_them() -> Mapping[str, Provider]:
    """The configured providers by channel, the default first."""
    return cast("Mapping[str, Provider]", current_app.extensions["providers"])


def asked() -> str | None:
    """The channel this request names; None for none, and for text that is no name."""
    named = request.values.get(FIELD, "")
    return named if named.isascii() and named.isprintable() and 0 < len(named) <= _LONGEST else None


def among(sellers: Sequence[Provider], *, strict: bool = False) -> Offered:
    """The choice as this request made it. One that is not there is not chosen; with `strict` it raises Invalid."""
    providers, named = all_of_them(), asked()
    if not providers:
        return Offered((), None)
    try:
        return Offered(sellers, sold_by.through(providers, sellers, named))
    except Invalid:
        if strict:
            raise
        return Offered(sellers, sold_by.through(providers, sellers, None))


def only_title() -> str:
    """The provider's name where there is but one; else which one it is depends on what is bought."""
    known = list(all_of_them().values())
    return known[0].title if len(known) == 1 else ""


def for_top_ups(*, strict: bool = False) -> Offered:
    return among(sold_by.of_top_ups(all_of_them()), strict=strict)


def _detail(provider: Provider) -> str:
    sells_itself = Cap.MERCHANT_OF_RECORD in provider.capabilities
    return "Sells to you itself, and adds the tax of where you are" if sells_itself else ""
