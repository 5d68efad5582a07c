"""What is missing or mismatched about payments, in sentences, for `purser doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

from app.providers import port
from app.providers.port import Provider
from app.providers.values import Cap

Line = tuple[bool, str]
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Installation(Protocol):
    """The settings that payments depend on."""

    @property
    def env(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def stripe_secret_key(self) -> str: ...
    @property
    def stripe_webhook_secret(self) -> str: ...
    @property
    def stripe_webhook_secret_previous(self) -> str: ...
    @property
    def stripe_api_base(self) -> str: ...


def checks(settings: Installation, providers: Mapping[str, Provider]) -> list[Line]:
    """Every check as (is it well, sentence). Asks each configured provider about its side; changes nothing."""
    lines = configured(settings, providers)
    for name, provider in providers.items():
        if Cap.DIAGNOSIS in provider.capabilities:
            url = f"{settings.base_url.rstrip('/')}/payment/webhook/{name}"
            findings = port.self_checking_of(provider).diagnose(webhook_url=url)
            lines += [(finding.ok, finding.sentence) for finding in findings]
    return lines


def configured(settings: Installation, providers: Mapping[str, Provider]) -> list[Line]:
    """Those checks that ask nobody: what the settings say by themselves."""
    lines = [*_address(settings, providers), *_stripe_keys(settings)]
    if not providers:
        lines.append((False, "No payment provider is configured: nobody can top up. Set STRIPE_SECRET_KEY."))
    return lines


def _address(settings: Installation, providers: Mapping[str, Provider]) -> list[Line]:
    parts = urlsplit(settings.base_url)
    if not parts.scheme or not parts.hostname:
        return [(False, f"PURSER_BASE_URL is {settings.base_url!r}; it must be the whole address people use.")]
    live = any(provider.livemode for provider in providers.values())
    if parts.scheme == "https":
        return [(True, f"PURSER_BASE_URL is {settings.base_url}.")]
    if parts.hostname in _LOCAL and not live:
        return [(True, f"PURSER_BASE_URL is {settings.base_url}: fine on this machine; elsewhere it must be https.")]
    return [
        (False, f"PURSER_BASE_URL is {settings.base_url}: it must be https, or passwords and payments travel open.")
    ]


def _stripe_keys(settings: Installation) -> list[Line]:
    key, secret = settings.stripe_secret_key, settings.stripe_webhook_secret
    if not key:
        return [(False, "STRIPE_SECRET_KEY is missing.")] if secret else []
    lines: list[Line] = []
    live = "_live_" in key
    if not key.startswith(("sk_", "rk_")):
        lines.append(
            (False, "STRIPE_SECRET_KEY must begin with sk_ or rk_; a publishable key (pk_) cannot take payments.")
        )
    if settings.stripe_api_base:
        lines.append((not live, f"STRIPE_API_BASE is set: payments go to {settings.stripe_api_base}, not to Stripe."))
    elif live != (settings.env == "production"):
        mode = "live" if live else "test"
        lines.append((not live and settings.env != "production", f"The Stripe key is a {mode} key in {settings.env}."))
    if not secret:
        lines.append((False, "STRIPE_WEBHOOK_SECRET is missing: payments would never arrive."))
    elif not secret.startswith("whsec_"):
        lines.append((False, "STRIPE_WEBHOOK_SECRET does not look like one: Stripe's begin with whsec_."))
    if settings.stripe_webhook_secret_previous:
        lines.append(
            (True, "STRIPE_WEBHOOK_SECRET_PREVIOUS is set: remove it once Stripe signs with the new one only.")
        )
    return lines
