"""Headers of every answer: the content policy, caching, and what caches must tell apart."""

from __future__ import annotations

import re

import pytest

ADDRESSES = ["/sign-in", "/nowhere", "/static/purser.css"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_has_a_strict_content_policy(client, address):
    with client.get(address) as answer:
        policy = answer.headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "data:" not in policy


def test_a_form_may_lead_to_the_checkout_in_use_and_nowhere_else(client):
    policy = client.get("/sign-in").headers["Content-Security-Policy"]

    assert re.search(r"form-action 'self' https://checkout\.stripe\.com \S+ http://127\.0\.0\.1:9(?:;|$)", policy)


def test_pages_are_kept_by_nobody(client):
    headers = client.get("/sign-in").headers

    assert headers["Cache-Control"] == "private, no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "HX-Request" in headers["Vary"]


def test_a_file_is_kept_for_good_at_the_address_of_its_content(client):
    address = re.search(r'href="(/static/purser\.css\?v=[0-9a-f]{12})"', client.get("/sign-in").text)[1]

    with client.get(address) as hashed, client.get("/static/purser.css") as plain:
        assert "immutable" in hashed.headers["Cache-Control"]
        assert plain.headers["Cache-Control"] == "no-cache"


def test_htmx_is_told_what_to_swap_and_what_to_leave(client):
    config = re.search(r"name=\"htmx-config\" content='([^']+)'", client.get("/sign-in").text)[1]

    for setting in (
        '"allowEval":false',
        '"includeIndicatorStyles":false',
        '"historyCacheSize":0',
        '"historyRestoreAsHxRequest":false',
        '"selfRequestsOnly":true',
        '"allowScriptTags":false',
        '"code":"402|403|404|409|422","swap":true',
        '"code":"...","swap":false',
    ):
        assert setting in config
