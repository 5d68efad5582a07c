"""Where `next` may lead: to our own pages, whatever trick is tried."""

from __future__ import annotations

import pytest

from app.http import destinations
from tests.support.people import Person
from tests.support.web import PageClient
from tests.web.people_pages import sign_in

ELSEWHERE = [
    "https://evil.example",
    "http://evil.example/",
    "HTTPS://evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "//evil.example/%2e%2e",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/%5cevil.example\\",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/wallet//evil.example",
    "@evil.example",
    "evil.example",
    ".evil.example",
    "http:evil.example",
    "http:/evil.example",
    "http:///evil.example",
    "https:/\\evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://evil.example",
    "//user@evil.example",
    "//[::1]/",
    "//[evil",
    "http://[evil",
    "/\u2028/evil.example",
    "/\u3002evil",
    "\uff0f\uff0fevil.example",
    "/\x00",
    "/\x7f",
    "?next=x",
    "#x",
    "",
    "/" + "x" * 1000,
    "/sign-in",
    "/sign-in?next=/",
    "/sign-up",
    "/sign-out",
]
OURS = [
    "/",
    "/wallet",
    "/wallet?type=topup&before=3",
    "/wallet/topups/ord_1",
    "/invitations/a-b_c",
    "/team#members",
    "/a%20b",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_it_goes_nowhere_else(target: str) -> None:
    assert destinations.safe(target) == "/"


@pytest.mark.parametrize("target", OURS)
def test_it_goes_to_our_pages(target: str) -> None:
    assert destinations.safe(target) == target


def test_nothing_is_the_default() -> None:
    assert destinations.safe(None, "/admin/customers") == "/admin/customers"


def test_the_sign_in_page_follows_it(client: PageClient, ada: Person) -> None:
    assert sign_in(client, ada.email, next="//evil.example").location == "/"
    assert client.get("/sign-in?next=https://evil.example").location == "/"
