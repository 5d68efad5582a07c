"""The page of settings: every one of them, no secret among them, and what is wrong."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from app.admin.settings import groups
from app.config import Settings, variable


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_it_shows_settings_channels_and_the_check_up(as_admin) -> None:
    page = as_admin.get("/admin/settings").text

    for words in (
        "PURSER_ADJUSTMENT_LIMIT",
        "20000",
        "Stripe",
        "Test mode",
        "Mail is printed",
        "The settings are usable",
    ):
        assert words in page, words
    assert "sk_test_of_the_tests" not in page
    assert "whsec_of_the_tests_only" not in page


def test_no_secret_is_shown_whatever_it_is_called() -> None:
    filled = {
        each.name: f"s3cret-{each.name}"
        for each in fields(Settings)
        if each.type == "str" and each.name != "database_url"
    }
    settings = replace(
        Settings(), **filled, secret_key_fallbacks=("s3cret-old",), database_url="postgresql://u:s3cret@host/db"
    )

    rows = [row for _, group in groups(settings) for row in group]
    shown = {row.name for row in rows if "s3cret" in row.shown}

    assert {row.name for row in rows} == {variable(each.name) for each in fields(Settings)}
    telling = ("KEY", "SECRET", "TOKEN", "PASSWORD", "SMTP", "REDIS", "DATABASE")
    assert not [name for name in shown if any(word in name for word in telling)]


def test_a_password_in_an_address_is_left_out() -> None:
    settings = replace(Settings(), stripe_api_base="http://user:s3cret@127.0.0.1/")

    assert "s3cret" not in str(groups(settings))
