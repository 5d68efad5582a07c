"""Which providers are configured: one table, and the only way to reach an adapter."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from app.config import CHANNEL_KEYS, Settings
from app.providers.port import Provider
from app.providers.values import Cap

# Named, not imported: an adapter and its SDK are loaded only where its keys are set, and nobody else can import one.
ADAPTERS = {
    "stripe": "app.providers.stripe:Stripe",
    "lemonsqueezy": "app.providers.lemonsqueezy:LemonSqueezy",
    "polar": "app.providers.polar:Polar",
    "creem": "app.providers.creem:Creem",
}


def build(settings: Settings) -> dict[str, Provider]:
    """The configured adapters by channel name, the default channel first. Raises ValueError for unusable settings."""
    found: dict[str, Provider] = {}
    for channel, place in ADAPTERS.items():
        if getattr(settings, CHANNEL_KEYS[channel]):
            module, name = place.split(":")
            found[channel] = cast("Provider", getattr(import_module(module), name).configured(settings))
    return found


def able(providers: Mapping[str, Provider], *caps: Cap) -> Provider | None:
    """The first channel, the default before others, that can do all of this; None where none can."""
    return next((each for each in providers.values() if each.capabilities >= set(caps)), None)


def default(providers: Mapping[str, Provider]) -> Provider | None:
    """The channel a purchase goes through unless another is asked for: the first configured; None without any."""
    return next(iter(providers.values()), None)
