"""Which providers are configured: one table."""

from __future__ import annotations

from app.config import Settings


def build(settings: Settings) -> dict[str, object]:
    """The configured adapters by channel name."""
    return {}
