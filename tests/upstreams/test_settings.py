"""Keys and addresses of upstreams: from the settings alone, and never in the clear over a network."""

from __future__ import annotations

import pytest

from app import settings_problems
from app.config import Settings


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/v1",
        "ftp://example.com",
        "example.com",
        "https://user:password@example.com",
        "https://example.com@evil.example",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1.evil.example",
        "https://example.com/v1?key=1",
        "https://example.com/v1#x",
        "https://",
    ],
)
def test_an_address_that_a_key_could_be_read_on_the_way_to_is_refused(address: str) -> None:
    problems = settings_problems.of(Settings.from_env({"PURSER_ENV": "test", "OPENAI_BASE_URL": address}))

    assert [problem for problem in problems if "OPENAI_BASE_URL" in problem]
    assert not [problem for problem in problems if "password@" in problem]


@pytest.mark.parametrize(
    "address",
    ["https://example.com", "https://eu.example.com:8443/v1", "http://127.0.0.1:9/v1", "http://localhost:11434"],
)
def test_https_and_this_machine_are_fine(address: str) -> None:
    assert settings_problems.of(Settings.from_env({"PURSER_ENV": "test", "GOOGLE_BASE_URL": address})) == []


@pytest.mark.parametrize("setting", ["PURSER_LLM_TIMEOUT", "PURSER_LLM_MAX_TOKENS"])
def test_a_limit_of_nothing_is_refused(setting: str) -> None:
    problems = settings_problems.of(Settings.from_env({"PURSER_ENV": "test", setting: "0"}))

    assert [problem for problem in problems if setting in problem]


def test_keys_are_not_in_what_settings_print() -> None:
    keys = {f"{name}_API_KEY": "sesame" for name in ("OPENAI", "ANTHROPIC", "GOOGLE", "OPENROUTER")}

    assert "sesame" not in repr(Settings.from_env({"PURSER_ENV": "test", **keys}))
