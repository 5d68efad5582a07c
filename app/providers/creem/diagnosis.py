"""Creem's side of the set-up, compared with ours: what `purser doctor` says about this channel."""

from __future__ import annotations

from app.providers.creem.connection import Connection
from app.providers.creem.told import SENT
from app.providers.errors import AuthFailed, NotFound, ProviderError
from app.providers.values import Finding


def findings(creem: Connection, *, product_id: str, webhook_url: str, livemode: bool) -> list[Finding]:
    """Sentences about the key and the product; reads, changes nothing. Webhooks there cannot be read."""
    mode = "live" if livemode else "test"
    by_hand = f"Creem shows nobody its webhooks: look that one leads to {webhook_url} and sends {', '.join(SENT)}."
    try:
        return [_product(creem, product_id, mode), Finding(True, by_hand)]
    except AuthFailed:
        return [Finding(False, f"Creem does not accept CREEM_API_KEY on its {mode} server.")]
    except ProviderError as error:
        return [Finding(False, f"Creem could not be asked about its set-up: {error}")]


def _product(creem: Connection, product_id: str, mode: str) -> Finding:
    if not product_id:
        creem.get("/v1/transactions/search", page_number=1, page_size=1)
        return Finding(
            True, f"Creem accepts the {mode} key. Without CREEM_PRODUCT_ID no top-ups or packs are sold there."
        )
    try:
        product = creem.get("/v1/products", product_id=product_id)
    except NotFound:
        return Finding(False, f"CREEM_PRODUCT_ID is {product_id}, and there is no such product with this {mode} key.")
    if product.get("billing_type") != "onetime":
        return Finding(False, f"The product {product_id} is a subscription: top-ups need a single payment.")
    return Finding(
        True, f"Top-ups and packs are sold as {product_id} at Creem, with the {mode} key, at a price of our own."
    )
