"""The usage page: what was counted, what it costs and where it is heading, from counters alone."""

from __future__ import annotations

import re

HX = {"HX-Request": "true"}


def text(html: str) -> str:
    """What stands on the page, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_signed_out_it_leads_to_the_sign_in_page(client):
    assert client.get("/usage").location.startswith("/sign-in")


def test_it_shows_what_is_over_what_it_cost_and_what_is_held(ada, uses, client_of, clock):
    ada.gets(1_000)
    uses(ada, "calls", 1_200, "eu")

    page = client_of(ada).get("/usage").text

    assert "200 over" in page
    assert '<dd class="figure">$0.08</dd><dd>$0.00 charged, $0.08 held for today</dd>' in page
