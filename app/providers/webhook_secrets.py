"""What a provider signs its events with: the current secret first, the one before while it is being replaced."""

from __future__ import annotations

from typing import Any

SHORTEST = 16  # characters


def secrets_of(settings: Any, channel: str) -> tuple[str, ...]:
    """Those that the settings name for a channel, unchecked."""
    previous = getattr(settings, f"{channel}_webhook_secret_previous")
    return (getattr(settings, f"{channel}_webhook_secret"), *([previous] if previous else []))


def checked(channel: str, secrets: tuple[str, ...]) -> tuple[str, ...]:
    """The same secrets. Raises ValueError for none, or for one that could be guessed."""
    if not secrets or any(len(each.strip()) < SHORTEST for each in secrets):
        raise ValueError(f"{channel.upper()}_WEBHOOK_SECRET is missing or too short: anyone could sign.")
    return secrets
