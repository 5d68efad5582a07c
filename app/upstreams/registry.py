"""Which upstreams there are, and which of them are set up: one table."""

from __future__ import annotations

from collections.abc import Mapping

from app.config import Settings
from app.upstreams.anthropic import Anthropic
from app.upstreams.dialect import Dialect, Upstream
from app.upstreams.google import Google
from app.upstreams.openai import OpenAI
from app.upstreams.openrouter import OpenRouter

DIALECTS: Mapping[str, Dialect] = {each.name: each for each in (OpenAI(), Anthropic(), Google(), OpenRouter())}


def configured(settings: Settings) -> dict[str, Upstream]:
    """The upstreams with a key, by name."""
    found = {}
    for name, spoken in DIALECTS.items():
        key = getattr(settings, f"{name}_api_key")
        if key:
            found[name] = Upstream(name, getattr(settings, f"{name}_base_url") or spoken.base_url, key)
    return found


def dialect(name: str) -> Dialect:
    return DIALECTS[name]
