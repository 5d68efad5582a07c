"""Settings: environment variables, read here and nowhere else, listed in docs/settings.md (SPEC §13)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

# Names that are the vendors' own.
_BARE = ("stripe_", "lemonsqueezy_", "polar_", "creem_", "openai_", "anthropic_", "google_", "openrouter_")

# The setting that switches a payment provider on. Each has a <channel>_webhook_secret and one before it.
CHANNEL_KEYS = {
    "stripe": "stripe_secret_key",
    "lemonsqueezy": "lemonsqueezy_api_key",
    "polar": "polar_access_token",
    "creem": "creem_api_key",
}

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").exists() else Path.cwd()


class SettingsError(Exception):
    """The settings cannot be used; the sentences say which and why."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """Everything that differs between installations. Secrets are never in `repr`."""

    env: str = "production"  # PURSER_ENV: production | demo | test
    database_url: str = f"sqlite:///{ROOT / 'var' / 'purser.db'}"
    secret_key: str = field(default="", repr=False)
    secret_key_fallbacks: tuple[str, ...] = field(default=(), repr=False)
    base_url: str = "http://127.0.0.1:8000"
    currency: str = "usd"
    signup_credit: int = 500  # minor units; 0 turns it off (SPEC W1)
    signup_credit_when: str = "signup"  # signup | verified
    stripe_secret_key: str = field(default="", repr=False)
    stripe_webhook_secret: str = field(default="", repr=False)
    stripe_webhook_secret_previous: str = field(default="", repr=False)
    stripe_api_base: str = ""
    stripe_invoices: int = 1  # 1: Stripe makes an invoice for each top-up (SPEC I1); 0: a receipt is enough
    stripe_automatic_tax: int = 0  # 1: Stripe Tax computes the tax on subscriptions (SPEC I2)
    lemonsqueezy_api_key: str = field(default="", repr=False)
    lemonsqueezy_webhook_secret: str = field(default="", repr=False)
    lemonsqueezy_webhook_secret_previous: str = field(default="", repr=False)
    lemonsqueezy_store_id: str = ""
    lemonsqueezy_variant_id: str = ""  # what top-ups and packs are sold as there, at a price of our own
    lemonsqueezy_test_mode: int = 0  # 1: the key is of the store's test mode; it does not say so itself
    lemonsqueezy_api_base: str = ""
    polar_access_token: str = field(default="", repr=False)
    polar_webhook_secret: str = field(default="", repr=False)
    polar_webhook_secret_previous: str = field(default="", repr=False)
    polar_organization_id: str = ""
    polar_api_base: str = ""
    creem_api_key: str = field(default="", repr=False)
    creem_webhook_secret: str = field(default="", repr=False)
    creem_webhook_secret_previous: str = field(default="", repr=False)
    creem_product_id: str = ""  # what top-ups and packs are sold as there, at a price of our own
    creem_api_base: str = ""
    seller_name: str = "Purser"  # who invoices of ours are from (SPEC I3)
    seller_address: str = ""  # lines separated by |
    seller_country: str = ""  # two letters; where buyers are taxed who have not told where they are
    seller_tax_id: str = ""
    seller_email: str = ""
    invoice_prefix: str = "INV"
    credit_note_prefix: str = "CN"
    openai_api_key: str = field(default="", repr=False)  # who answers model calls (SPEC L2)
    openai_base_url: str = ""
    anthropic_api_key: str = field(default="", repr=False)
    anthropic_base_url: str = ""
    google_api_key: str = field(default="", repr=False)
    google_base_url: str = ""
    openrouter_api_key: str = field(default="", repr=False)
    openrouter_base_url: str = ""
    llm_timeout: int = 300  # seconds a model call may take
    llm_max_tokens: int = 4096  # of an answer, where the caller gives no limit
    llm_markup_percent: int = 0  # on what a model call costs upstream (SPEC L1)
    smtp_url: str = field(default="", repr=False)
    mail_from: str = "Purser <billing@localhost>"
    webhook_private_addresses: int = 0  # 1: outgoing webhooks may go to this network and by plain http
    redis_url: str = field(default="", repr=False)
    trusted_proxies: int = 0
    return_origins: tuple[str, ...] = ()  # where API callers may have people sent back to, besides here
    clock_file: str = ""
    demo_directory: str = str(ROOT / "var" / "demo")
    password_memory_kib: int = 19456  # what hashing a password costs; less only where no real passwords are
    commission_percent: int = 20  # of a paid skill's list price (SPEC U8)
    markup_percent: int = 15  # on upstream cost (SPEC U8)
    adjustment_limit: int = 20000  # minor units; above it a second member of staff has to approve
    credit_adjustment_limit: int = 20000  # the same, in credits
    staff_totp: str = ""  # required | optional; nothing is required in production and optional elsewhere
    grace_days: int = 7  # of full access after a subscription's payment failed (SPEC P11)

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def staff_needs_code(self) -> bool:
        """Whether the back office opens only to staff with a second factor."""
        return self.staff_totp == "required" or (self.staff_totp == "" and self.is_production)

    @property
    def hooks_may_be_private(self) -> bool:
        """Whether outgoing webhooks may go to this machine and network."""
        return self.webhook_private_addresses == 1

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Settings from environment variables. Raises SettingsError for a value of the wrong shape."""
        given = os.environ if environ is None else environ
        values: dict[str, object] = {}
        for setting in fields(cls):
            text = given.get(variable(setting.name))
            if text is None or text == "":
                continue
            values[setting.name] = _converted(setting.name, str(setting.type), text)
        return cls(**values)  # type: ignore[arg-type]  # _converted gives each field its own type


def resource(name: str) -> Path:
    """Where `templates`, `static` and `migrations` are: beside the package in a checkout, inside it in a wheel."""
    within = PACKAGE / f"_{name}"
    return within if within.is_dir() else ROOT / name


def variable(name: str) -> str:
    """The environment variable of a setting: a vendor's own, SMTP_URL and REDIS_URL as is, the rest under PURSER_."""
    bare = name.startswith(_BARE) or name in ("smtp_url", "redis_url")
    return name.upper() if bare else "PURSER_" + name.upper()


def _converted(name: str, kind: str, text: str) -> object:
    if kind == "int":
        if not text.isascii() or not text.isdigit():
            raise SettingsError([f"{variable(name)} must be a whole number, not {text!r}."])
        return int(text)
    if kind.startswith("tuple"):
        return tuple(part for part in text.split(",") if part)
    if name == "base_url":
        return text.rstrip("/")  # paths are put after it, and two slashes would name another address
    return text.lower() if name == "currency" else text
