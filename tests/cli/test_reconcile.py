"""`purser reconcile`: what it says, as sentences and as JSON, and how it ends."""

from __future__ import annotations

import pytest

from app.providers import registry
from app.providers.errors import Unavailable
from app.providers.values import Cap
from tests.support.fake_provider import FakeProvider, heard, told


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def configured(monkeypatch):
    """Two channels, of which one lists its events."""
    fakes = {"stripe": FakeProvider(), "polar": FakeProvider("polar", caps=frozenset({Cap.EVENT_LIST}))}
    fakes["polar"].events_since = lambda _since: [heard(told("paid", "ord_none"))]
    monkeypatch.setattr(registry, "build", lambda _settings: fakes)
    return fakes


def test_it_reads_every_channel_and_says_what_could_not_be_applied(purser, configured):
    said = purser("reconcile", "--json")

    one, two = said.json["reconciliations"]
    assert (one["channel"], one["state"], one["change_count"]) == ("stripe", "done", 0)
    assert (two["channel"], two["state"], two["looked_at"]) == ("polar", "incomplete", {"events": 1})
    assert (said.code, said.json["ok"]) == (1, False)


def test_one_channel_in_sentences(purser, configured):
    said = purser("reconcile", "--channel", "stripe")

    assert said.code == 0
    assert "stripe: 0 repaired; read were nothing. The report is rec_" in said.out


def test_a_channel_that_is_away_or_unknown_ends_with_one(purser, configured):
    def away(_since):
        raise Unavailable("No answer")

    configured["polar"].events_since = away

    assert "Polar was away" in purser("reconcile", "--channel", "polar").out
    assert purser("reconcile", "--channel", "polar").code == 1
    assert "No channel nowhere is configured here." in purser("reconcile", "--channel", "nowhere").err


def test_without_a_channel_there_is_nothing_to_read(purser):
    assert purser("reconcile").out == "No payment channel is configured.\n"
