"""Who answers a model, by its name alone: never by anything else in a request (SPEC L2)."""

from __future__ import annotations

import re
from collections.abc import Container

from app.errors import Invalid
from app.upstreams.dialect import Route

# What these do is not priced by tokens alone: each call searches, or speaks, or draws.
_OTHERWISE_PRICED = re.compile(
    r"search|deep-research|audio|realtime|image|transcribe|tts|whisper|embedding|:online", re.IGNORECASE
)
_BY_NAME = (
    ("openrouter", re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._:-]+\Z")),
    ("openai", re.compile(r"(?:gpt-|o\d|chatgpt-)[A-Za-z0-9._:-]*\Z")),
    ("anthropic", re.compile(r"claude-[A-Za-z0-9._-]+\Z")),
    ("google", re.compile(r"gemini-[A-Za-z0-9._-]+\Z")),
)


class UnknownModel(Invalid):
    """No upstream that is set up answers this model, or its price is not known: refused, never free (SPEC L3)."""

    code = "unknown-model"


def route(model: str, configured: Container[str]) -> Route:
    """The way to a model among the upstreams of these names. Raises UnknownModel."""
    for upstream, pattern in _BY_NAME:
        if pattern.match(model) and upstream in configured and not _OTHERWISE_PRICED.search(model):
            return Route(upstream, model)
    raise unknown(model)


def unknown(model: str) -> UnknownModel:
    return UnknownModel(f"The model {model} is not offered here.", field="model")
