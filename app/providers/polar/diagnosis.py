"""Polar's side of the set-up, compared with ours: what `purser doctor` says about this channel."""

from __future__ import annotations

from app.providers.errors import AuthFailed, ProviderError
from app.providers.polar.connection import Connection, Json
from app.providers.polar.told import POLLED_DISPUTE, READERS
from app.providers.values import Finding

USED = sorted(set(READERS) - {POLLED_DISPUTE})


def findings(polar: Connection, *, webhook_url: str, livemode: bool) -> list[Finding]:
    """Sentences about the token and the webhook endpoint; reads from Polar, changes nothing."""
    server = "live server" if livemode else "sandbox"
    try:
        endpoints = polar.pages("/v1/webhooks/endpoints")
    except AuthFailed:
        return [
            Finding(
                False,
                f"Polar's {server} does not accept POLAR_ACCESS_TOKEN, or it may not read webhooks. Tokens of the "
                "sandbox and of the live server are not the same.",
            )
        ]
    except ProviderError as error:
        return [Finding(False, f"Polar could not be asked about its webhook endpoints: {error}")]
    found = [Finding(True, f"Polar accepts the token; money is {'real' if livemode else 'play money'} there.")]
    ours = [each for each in endpoints if each["url"].rstrip("/") == webhook_url.rstrip("/")]
    if not ours:
        lacking = f"Polar has no webhook endpoint for {webhook_url}: payments would wait for polling."
        return [*found, Finding(False, lacking)]
    for endpoint in ours:
        found += _endpoint(endpoint)
    if len(ours) > 1:
        found.append(Finding(False, f"Polar has {len(ours)} endpoints for {webhook_url}; one is enough."))
    return found


def _endpoint(endpoint: Json) -> list[Finding]:
    name = endpoint["id"]
    missing = sorted(set(USED) - set(endpoint["events"]))
    is_on, is_raw = bool(endpoint.get("enabled", True)), endpoint["format"] == "raw"
    return [
        Finding(
            is_on,
            f"Webhook endpoint {name} is {'on' if is_on else 'off: Polar switches it off after ten failures'}.",
        ),
        Finding(is_raw, f"Webhook endpoint {name} is of the format {endpoint['format']}; it must be raw."),
        Finding(
            not missing,
            f"Webhook endpoint {name} does not send: {', '.join(missing)}."
            if missing
            else f"Webhook endpoint {name} sends every type of event that is used.",
        ),
    ]
