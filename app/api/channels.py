"""The payment providers of this installation, as calls reach them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

from flask import current_app

from app.errors import ProviderDown, UnsupportedByChannel
from app.flows import sold_by
from app.providers import registry
from app.providers.port import Provider
from app.providers.values import Cap


def all_of_them() -> Mapping[str, Provider]:
    """The configured providers by channel."""
    return cast("Mapping[str, Provider]", current_app.extensions["providers"])


def default() -> Provider:
    """The default channel. Raises ProviderDown while none is configured."""
    chosen = registry.default(all_of_them())
    if chosen is None:
        raise ProviderDown("No payment provider is set up, so nothing can be paid.")
    return chosen


def keeper() -> Provider:
    """The channel that keeps cards, the default before others; else the default, which refuses. Raises ProviderDown."""
    return registry.able(all_of_them(), Cap.SAVED_CARDS) or default()


def through(sellers: Sequence[Provider], asked: str | None) -> Provider:
    """The channel a purchase goes through: the one asked for, else the first that sells it. Raises as `sold_by`."""
    return sold_by.through(all_of_them(), sellers, asked)


@contextmanager
def telling(sellers: Sequence[Provider]) -> Iterator[None]:
    """A refusal of one channel also says which others sell the thing."""
    try:
        yield
    except UnsupportedByChannel as refusal:
        others = sorted(each.name for each in sellers if each.name != refusal.details.get("channel"))
        raise type(refusal)(refusal.sentence, **{"field": "channel", **refusal.details, "offered": others}) from refusal
