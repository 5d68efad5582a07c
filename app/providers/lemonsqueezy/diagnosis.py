"""Lemon Squeezy's side of the set-up, compared with ours: what `purser doctor` says about this channel."""

from __future__ import annotations

from app.providers.errors import AuthFailed, NotFound, ProviderError
from app.providers.lemonsqueezy.body import number
from app.providers.lemonsqueezy.connection import Connection, Json
from app.providers.lemonsqueezy.shop import Shop
from app.providers.lemonsqueezy.told import EVENTS
from app.providers.values import Finding

_USERS = "/users"
_KEY_OF = f"{_USERS}/me"  # in one piece it would look like somebody's home directory


def findings(lemon: Connection, shop: Shop, *, webhook_url: str) -> list[Finding]:
    """Sentences about the key, the store, the variant and the webhook; reads, changes nothing."""
    try:
        return [_key(lemon, shop), _store(lemon, shop), *_variant(lemon, shop), *_webhooks(lemon, shop, webhook_url)]
    except AuthFailed:
        return [Finding(False, "Lemon Squeezy does not accept LEMONSQUEEZY_API_KEY.")]
    except ProviderError as error:
        return [Finding(False, f"Lemon Squeezy could not be asked about its set-up: {error}")]


def _key(lemon: Connection, shop: Shop) -> Finding:
    is_test = bool((lemon.read(_KEY_OF).get("meta") or {}).get("test_mode"))
    mode = "test" if is_test else "live"
    if is_test == shop.test_mode:
        return Finding(True, f"Lemon Squeezy accepts the key; it is a {mode} key.")
    wanted = "1" if is_test else "0"
    return Finding(False, f"The key is a {mode} key: set LEMONSQUEEZY_TEST_MODE={wanted}, or every event is ignored.")


def _store(lemon: Connection, shop: Shop) -> Finding:
    try:
        store = lemon.read(f"/stores/{shop.store_id}")["data"]["attributes"]
    except NotFound:
        return Finding(False, f"LEMONSQUEEZY_STORE_ID is {shop.store_id}, and the key reaches no such store.")
    return Finding(True, f"It sells from the store {store['name']}, in {store['currency']}.")


def _variant(lemon: Connection, shop: Shop) -> list[Finding]:
    if not shop.variant_id:
        return [Finding(True, "LEMONSQUEEZY_VARIANT_ID is not set: top-ups and packs are not sold here.")]
    try:
        variant = lemon.read(f"/variants/{shop.variant_id}", {"include": "product"})
    except NotFound:
        return [Finding(False, f"LEMONSQUEEZY_VARIANT_ID is {shop.variant_id}, and there is no such variant.")]
    told = variant["data"]["attributes"]
    if told.get("is_subscription"):
        return [Finding(False, f"Variant {shop.variant_id} is a subscription: top-ups need a single payment.")]
    if told.get("status") == "draft":
        return [Finding(False, f"Variant {shop.variant_id} is a draft: publish its product, or nobody can pay.")]
    return [Finding(True, f"Top-ups and packs are sold as variant {shop.variant_id}, at a price of our own.")]


def _webhooks(lemon: Connection, shop: Shop, url: str) -> list[Finding]:
    hooks = list(lemon.pages("/webhooks", {"filter[store_id]": shop.store_id}))
    ours = [hook for hook in hooks if hook["attributes"]["url"].rstrip("/") == url.rstrip("/")]
    if not ours:
        return [Finding(False, f"Lemon Squeezy has no webhook for {url}: payments would wait for polling.")]
    found = [finding for hook in ours for finding in _webhook(hook, shop)]
    if len(ours) > 1:
        found.append(Finding(False, f"Lemon Squeezy has {len(ours)} webhooks for {url}; one is enough."))
    return found


def _webhook(hook: Json, shop: Shop) -> list[Finding]:
    name, told = number(hook["id"]), hook["attributes"]
    # It is in no list of theirs to choose from, and comes with the others.
    missing = sorted(set(EVENTS) - set(told["events"]) - {"subscription_plan_changed"})
    if bool(told.get("test_mode")) != shop.test_mode:
        return [Finding(False, f"Webhook {name} is of the other mode, test or live, than LEMONSQUEEZY_TEST_MODE says.")]
    if missing:
        return [Finding(False, f"Webhook {name} does not send: {', '.join(missing)}.")]
    return [Finding(True, f"Webhook {name} sends every type of event that is used.")]
