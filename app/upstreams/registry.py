"""Which upstreams there are, and which of them are set up: one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from app.upstreams.dialect import Dialect, Upstream
from app.upstreams.openai import OpenAI
from app.upstreams.openrouter import OpenRouter

DIALECTS: Mapping[str, Dialect] = {each.name: each for each in (OpenAI(), OpenRouter())}


class Keys(Protocol):
    """The settings this asks: a key and a base URL for each upstream."""

    openai_api_key: str
    openai_base_url: str
    anthropic_api_key: str
    anthropic_base_url: str
    google_api_key: str
    google_base_url: str
    openrouter_api_key: str
    openrouter_base_url: str


def configured(settings: Keys) -> dict[str, Upstream]:
    """The upstreams with a key, by name."""
    found = {}
    for name, spoken in DIALECTS.items():
        key = getattr(settings, f"{name}_api_key")
        if key:
            found[name] = Upstream(name, getattr(settings, f"{name}_base_url") or spoken.base_url, key)
    return found


def dialect(name: str) -> Dialect:
    return DIALECTS[name]
