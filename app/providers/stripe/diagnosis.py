"""Stripe's side of the set-up, compared with ours: what `purser doctor` says about this channel."""

from __future__ import annotations

from app.providers.errors import AuthFailed, ProviderError
from app.providers.stripe.connection import Connection, Json
from app.providers.stripe.told import READERS
from app.providers.values import Finding


def findings(stripe: Connection, *, webhook_url: str, livemode: bool) -> list[Finding]:
    """Sentences about the key and the webhook endpoint; reads from Stripe, changes nothing."""
    mode = "live" if livemode else "test"
    try:
        endpoints = stripe.pages(lambda v1, page: v1.webhook_endpoints.list(page))
    except AuthFailed:
        return [Finding(False, "Stripe does not accept STRIPE_SECRET_KEY, or it may not read webhook endpoints.")]
    except ProviderError as error:
        return [Finding(False, f"Stripe could not be asked about its webhook endpoints: {error}")]
    found = [Finding(True, f"Stripe accepts the key; it is a {mode} key.")]
    ours = [endpoint for endpoint in endpoints if endpoint["url"].rstrip("/") == webhook_url.rstrip("/")]
    if not ours:
        return [
            *found,
            Finding(False, f"Stripe has no webhook endpoint for {webhook_url}: payments would wait for polling."),
        ]
    for endpoint in ours:
        found += _endpoint(endpoint, version=_pinned_version(stripe), livemode=livemode)
    if len(ours) > 1:
        found.append(Finding(False, f"Stripe has {len(ours)} endpoints for {webhook_url}; one is enough."))
    return found


def _endpoint(endpoint: Json, *, version: str, livemode: bool) -> list[Finding]:
    name = endpoint["id"]
    found = [
        Finding(endpoint["status"] == "enabled", f"Webhook endpoint {name} is {endpoint['status']}."),
        Finding(
            endpoint["livemode"] == livemode,
            f"Webhook endpoint {name} and the key are {'' if endpoint['livemode'] == livemode else 'not '}of one mode.",
        ),
    ]
    spoken = endpoint.get("api_version") or "the account's default"
    if spoken == version:
        found.append(Finding(True, f"Webhook endpoint {name} speaks {version}, as this version of Purser does."))
    else:
        found.append(
            Finding(False, f"Webhook endpoint {name} speaks {spoken}; make it again with api_version {version}.")
        )
    return [*found, _types(endpoint)]


def _types(endpoint: Json) -> Finding:
    sent = set(endpoint["enabled_events"])
    missing = [] if "*" in sent else sorted(set(READERS) - sent)
    if missing:
        return Finding(False, f"Webhook endpoint {endpoint['id']} does not send: {', '.join(missing)}.")
    return Finding(True, f"Webhook endpoint {endpoint['id']} sends every type of event that is used.")


def _pinned_version(stripe: Connection) -> str:
    return str(stripe.sdk.api_version)
