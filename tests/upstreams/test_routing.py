"""Who answers which model: by its name alone, and only who is set up."""

from __future__ import annotations

import pytest

from app.config import Settings
from app.upstreams import registry, routing
from app.upstreams.dialect import Route
from app.upstreams.routing import UnknownModel

ALL = ("openai", "anthropic", "google", "openrouter")


@pytest.mark.parametrize(
    ("model", "upstream"),
    [
        ("gpt-4o", "openai"),
        ("gpt-5.4-mini-2026-03-01", "openai"),
        ("o3", "openai"),
        ("o4-mini", "openai"),
        ("chatgpt-4o-latest", "openai"),
        ("claude-sonnet-4-5", "anthropic"),
        ("gemini-2.5-pro", "google"),
        ("openai/gpt-4o", "openrouter"),
        ("anthropic/claude-sonnet-4.5", "openrouter"),
        ("deepseek/deepseek-r1:nitro", "openrouter"),
    ],
)
def test_a_model_goes_to_its_upstream(model: str, upstream: str) -> None:
    assert routing.route(model, ALL) == Route(upstream, model)


@pytest.mark.parametrize(
    "model",
    [
        "",
        "llama-3",
        "GPT-4o",
        "opus",
        "xgpt-4o",
        "gpt-4o ",
        "gemini-2.5-pro:generateContent",
        "gemini-2.5-pro?key=1",
        "a/b/c",
        "/gpt-4o",
        "https://evil.example/gpt-4o",
        "openai/gpt-4o:online",
        "openai/gpt-4o:ONLINE",
        "openai/gpt-4o:online:nitro",
        "gpt-4o-search-preview",
        "o3-deep-research",
        "gpt-4o-audio-preview",
    ],
)
def test_what_nobody_answers_by_tokens_alone_is_refused(model: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        routing.route(model, ALL)

    assert refused.value.code == "unknown-model"


def test_only_upstreams_with_a_key_answer() -> None:
    settings = Settings.from_env(
        {"PURSER_ENV": "test", "ANTHROPIC_API_KEY": "k", "OPENAI_BASE_URL": "https://x.example"}
    )

    configured = registry.configured(settings)

    assert list(configured) == ["anthropic"]
    assert configured["anthropic"].base_url == "https://api.anthropic.com"
    with pytest.raises(UnknownModel):
        routing.route("gpt-4o", configured)
