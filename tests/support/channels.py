"""Every channel of the registry as tests set it up: its settings, and how its provider signs what it sends."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app import clock as the_clock
from app.config import Settings
from app.providers import standard_webhooks

Sign = Callable[[bytes, str, int], dict[str, str]]


@dataclass(frozen=True)
class Channel:
    """`sign` takes the body, a secret and the second it is signed at, and answers the headers.

    `others` are the settings besides the secret; `signs_the_time` is false where a signature is good for ever.
    """

    sign: Sign
    secret: str
    previous: str
    secret_setting: str
    others: dict[str, Any] = field(default_factory=dict)
    signs_the_time: bool = True

    @property
    def settings(self) -> dict[str, Any]:
        return {**self.others, self.secret_setting: self.secret}

    @property
    def settings_with_previous(self) -> dict[str, Any]:
        return {**self.settings, f"{self.secret_setting}_previous": self.previous}

    def signed(self, body: bytes, secret: str | None = None, *, shifted: int = 0) -> dict[str, str]:
        """The headers of a delivery made now, or `shifted` seconds from now."""
        now = int(the_clock.real_now().timestamp())
        return self.sign(body, self.secret if secret is None else secret, now + shifted)


def every_channel() -> Settings:
    """Settings with which each adapter of the registry can be built."""
    known = {name: value for channel in CHANNELS.values() for name, value in channel.settings.items()}
    return Settings(env="test", **known)


def _stripe(body: bytes, secret: str, at: int) -> dict[str, str]:
    signed = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={signed}"}


def _lemonsqueezy(body: bytes, secret: str, _at: int) -> dict[str, str]:
    return {"X-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def _polar(body: bytes, secret: str, at: int) -> dict[str, str]:
    """As Standard Webhooks say; a secret that is no base64 signs with itself, as Polar's old ones do."""
    key = next(iter(standard_webhooks.keys_of(secret)), secret.encode())
    signed = standard_webhooks.signature(body, key, event_id="9c1f5a52-0001-4000-8000-000000000001", at=at)
    names = (standard_webhooks.ID, standard_webhooks.TIME, standard_webhooks.SIGNATURE)
    return dict(zip(names, ("9c1f5a52-0001-4000-8000-000000000001", str(at), signed), strict=True))


def _creem(body: bytes, secret: str, _at: int) -> dict[str, str]:
    return {"creem-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


CHANNELS: dict[str, Channel] = {
    "stripe": Channel(
        sign=_stripe,
        secret="whsec_of_the_tests_only",
        previous="whsec_the_one_before_this",
        secret_setting="stripe_webhook_secret",
        others={"stripe_secret_key": "sk_test_of_the_tests"},
    ),
    "lemonsqueezy": Channel(
        sign=_lemonsqueezy,
        secret="lemons_of_the_tests_only",
        previous="lemons_the_ones_before",
        secret_setting="lemonsqueezy_webhook_secret",
        others={
            "lemonsqueezy_api_key": "key_of_the_tests",
            "lemonsqueezy_store_id": "217313",
            "lemonsqueezy_variant_id": "1090954",
            "lemonsqueezy_test_mode": 1,
        },
        signs_the_time=False,
    ),
    "polar": Channel(
        sign=_polar,
        secret="whsec_" + base64.b64encode(b"secret-secret-secret").decode(),
        previous="whsec_" + base64.b64encode(b"older-older-older-older").decode(),
        secret_setting="polar_webhook_secret",
        others={"polar_access_token": "polar_oat_of_the_tests", "polar_api_base": "https://sandbox-api.polar.sh"},
    ),
    "creem": Channel(
        sign=_creem,
        secret="whsec_creem_of_the_tests",
        previous="whsec_creem_the_one_before",
        secret_setting="creem_webhook_secret",
        others={"creem_api_key": "creem_test_of_the_tests", "creem_product_id": "prod_Topup"},
        signs_the_time=False,
    ),
}
