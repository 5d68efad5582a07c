"""Where people may be sent back to after a provider's page."""

from __future__ import annotations

import pytest

from app.config import Settings
from app.errors import Invalid
from app.http.return_urls import checked

SETTINGS = Settings(base_url="https://billing.example.com", return_origins=("https://app.example.com:8443",))


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        (None, "https://billing.example.com/plan"),
        ("/invoices?page=2", "https://billing.example.com/invoices?page=2"),
        ("https://billing.example.com/plan", "https://billing.example.com/plan"),
        ("https://BILLING.example.com:443/x", "https://BILLING.example.com:443/x"),
        ("https://app.example.com:8443/done?x=1#y", "https://app.example.com:8443/done?x=1#y"),
    ],
)
def test_our_own_addresses_and_the_listed_origins_may_be_returned_to(given: str | None, whole: str) -> None:
    assert checked(given, "returnUrl", SETTINGS, default="/plan") == whole


@pytest.mark.parametrize(
    "given",
    [
        "",
        "https://evil.example/",
        "https://billing.example.com.evil.example/",
        "https://billing.example.com@evil.example/",
        "https://app.example.com/",  # another port
        "http://billing.example.com/",  # another scheme
        "//evil.example/",
        "/\\evil.example",
        "https:/\\evil.example",
        "javascript:alert(1)",
        "data:text/html,hi",
        "https://billing.example.com\\.evil.example/",
        "https://billing.example.com/a b",
        "https://billing.example.com/\r\nSet-Cookie: x=1",
        "https://billing.example.com:99999999/",
        "https://[::1",
        "https://b\u0456lling.example.com/",
        "plan",
        "https://billing.example.com/" + "a" * 2000,
    ],
)
def test_everything_else_is_refused_by_its_field(given: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked(given, "returnUrl", SETTINGS, default="/plan")

    assert refused.value.field == "returnUrl"
