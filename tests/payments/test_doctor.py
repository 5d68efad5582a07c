"""What `purser doctor` finds wrong with payments, in sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.config import Settings
from app.payments import doctor
from app.providers import registry
from app.sandbox.server import Running
from tests.support.fake_provider import SECRET, FakeProvider
from tests.support.payments import KEY, stripe_adapter

GOOD = Settings(
    env="production",
    base_url="https://purser.example",
    stripe_secret_key="sk_live_of_the_tests",
    stripe_webhook_secret=SECRET,
)


def wrong(settings: Settings, providers: dict[str, Any] | None = None) -> list[str]:
    known = {"stripe": FakeProvider(livemode=True)} if providers is None else providers
    return [sentence for ok, sentence in doctor.checks(settings, known) if not ok]


def test_a_good_installation_has_nothing_wrong() -> None:
    assert wrong(GOOD) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"base_url": "http://purser.example"}, "must be https"),
        ({"base_url": "http://localhost:8000"}, "must be https"),
        ({"base_url": "purser.example"}, "whole address"),
        ({"stripe_secret_key": ""}, "STRIPE_SECRET_KEY is missing"),
        ({"stripe_secret_key": "pk_live_x"}, "publishable"),
        ({"stripe_webhook_secret": ""}, "STRIPE_WEBHOOK_SECRET is missing"),
        ({"stripe_webhook_secret": "not-one-of-stripes"}, "whsec_"),
        ({"env": "test"}, "live key in test"),
        ({"stripe_secret_key": "sk_test_x"}, "test key in production"),
        ({"stripe_api_base": "http://127.0.0.1:1"}, "STRIPE_API_BASE"),
    ],
)
def test_each_fault_has_its_sentence(change: dict[str, str], said: str) -> None:
    assert any(said in sentence for sentence in wrong(replace(GOOD, **change)))


def test_without_any_provider_it_says_so() -> None:
    settings = Settings(env="test")

    assert any("nobody can top up" in sentence for sentence in wrong(settings, registry.build(settings)))


class TestWebhookEndpoint:
    """Compared with what Stripe has, over HTTP."""

    URL = "https://purser.example/payment/webhook/stripe"

    def findings(self, sandbox: Running) -> list[str]:
        found = stripe_adapter(api_base=sandbox.url).diagnose(webhook_url=self.URL)
        return [finding.sentence for finding in found if not finding.ok]

    def make(self, sandbox: Running, **how: Any) -> None:
        wanted = {"url": self.URL, "enabled_events": ["*"], "api_version": "2026-10-28.endive"} | how
        connection = stripe_adapter(api_base=sandbox.url)._stripe
        connection.call(lambda v1: v1.webhook_endpoints.create(wanted))

    def test_there_is_none(self, sandbox: Running) -> None:
        assert any("no webhook endpoint for" in sentence for sentence in self.findings(sandbox))

    def test_it_is_as_it_should_be(self, sandbox: Running) -> None:
        self.make(sandbox)
        assert self.findings(sandbox) == []

    def test_another_version_is_spoken(self, sandbox: Running) -> None:
        self.make(sandbox, api_version="2026-03-25.dahlia")
        assert any("make it again with api_version 2026-10-28.endive" in each for each in self.findings(sandbox))

    def test_types_are_missing(self, sandbox: Running) -> None:
        self.make(sandbox, enabled_events=["checkout.session.completed"])
        assert any("does not send" in each and "checkout.session.expired" in each for each in self.findings(sandbox))

    def test_there_are_two(self, sandbox: Running) -> None:
        self.make(sandbox)
        self.make(sandbox)
        assert any("one is enough" in each for each in self.findings(sandbox))

    def test_the_key_is_not_accepted(self, sandbox: Running) -> None:
        found = stripe_adapter(api_base=sandbox.url, secret_key=KEY + "x").diagnose(webhook_url=self.URL)
        assert [finding.ok for finding in found] == [False]

    def test_nobody_answers(self) -> None:
        found = stripe_adapter(api_base="http://127.0.0.1:9").diagnose(webhook_url=self.URL)
        assert "could not be asked" in found[0].sentence
