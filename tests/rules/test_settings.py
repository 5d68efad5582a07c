"""Every setting is documented, everything documented is a setting, and what cannot work is refused at the start."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

import pytest

from app import settings_problems
from app.config import Settings, variable
from tests.support.tree import text

NAMES = {variable(field.name) for field in fields(Settings)}


def test_every_setting_is_documented() -> None:
    documented = text(Path("docs/settings.md"))

    assert not [name for name in sorted(NAMES) if f"`{name}`" not in documented]


def test_every_documented_setting_exists() -> None:
    documented = set(re.findall(r"`((?:PURSER|STRIPE|SMTP|REDIS)_[A-Z_]+)`", text(Path("docs/settings.md"))))

    assert documented <= NAMES


@pytest.mark.parametrize(
    ("name", "value"),
    [("PURSER_CURRENCY", "xyz"), ("PURSER_COMMISSION_PERCENT", "101"), ("SMTP_URL", "mail.example.com:secret@host")],
)
def test_a_setting_that_cannot_work_is_named_before_anything_starts(name: str, value: str) -> None:
    settings = Settings.from_env({"PURSER_ENV": "test", name: value})

    assert [problem for problem in settings_problems.of(settings) if name in problem]
    assert not [problem for problem in settings_problems.of(settings) if "secret@" in problem]


@pytest.mark.parametrize(("env", "refused"), [("demo", True), ("test", True), ("production", False)])
@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1"])
def test_a_live_key_works_in_production_only(env: str, refused: bool, key: str) -> None:
    settings = Settings.from_env({"PURSER_ENV": env, "STRIPE_SECRET_KEY": key})

    assert bool([problem for problem in settings_problems.of(settings) if "live key" in problem]) is refused


def test_redis_is_asked_for_only_where_it_can_be() -> None:
    problems = settings_problems.of(Settings.from_env({"PURSER_ENV": "test", "REDIS_URL": "redis://127.0.0.1:6379"}))

    assert bool(problems) is (find_spec("redis") is None)


def test_addresses_are_made_without_a_second_slash() -> None:
    settings = Settings.from_env({"PURSER_BASE_URL": "https://billing.example.com/"})

    assert f"{settings.base_url}/wallet" == "https://billing.example.com/wallet"
