"""The payment providers of this installation, as calls reach them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from flask import current_app

from app.errors import Invalid, ProviderDown
from app.providers import registry
from app.providers.port import Provider


def all_of_them() -> Mapping[str, Provider]:
    """The configured providers by channel."""
    return cast("Mapping[str, Provider]", current_app.extensions["providers"])


def default_or_none() -> Provider | None:
    """The default channel; None while none is configured."""
    return registry.default(all_of_them())


def default() -> Provider:
    """The default channel. Raises ProviderDown while none is configured."""
    chosen = default_or_none()
    if chosen is None:
        raise ProviderDown("No payment provider is set up, so nothing can be paid.")
    return chosen


def named(channel: str) -> Provider:
    """The provider of this channel. Raises Invalid for one that is not configured."""
    chosen = all_of_them().get(channel)
    if chosen is None:
        offered = sorted(all_of_them())
        raise Invalid(f"There is no channel {channel!r} here.", field="channel", offered=offered)
    return chosen
