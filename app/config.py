"""Settings: environment variables, read here and nowhere else, listed in docs/settings.md (SPEC §13)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path

from app.money import EXPONENTS

_PREFIX = re.compile(r"[A-Z0-9][A-Z0-9-]{0,15}\Z", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,20}\Z", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}\Z", re.ASCII)
# Names that are the vendors' own.
_BARE = ("stripe_", "lemonsqueezy_", "polar_", "creem_", "openai_", "anthropic_", "google_", "openrouter_")
# Other addresses of vendors, which our keys are sent to; user names and the like have no place in them.
_CALLED_AT = ("_base_url", "_api_base")
_NOT_CALLED = ("stripe_api_base",)  # refused together with a live key instead: the demo's sandbox may be anywhere
_SAFE_ADDRESS = re.compile(
    r"(?:https://[A-Za-z0-9.-]+|http://(?:127\.0\.0\.1|localhost|\[::1\]))(?::\d+)?(?:/[\w./-]*)?\Z"
)

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

    def problems(self) -> list[str]:
        """Why this installation must not start, in sentences; empty when it may."""
        return [sentence for wrong, sentence in (*self._unsafe(), *self._senseless()) if wrong]

    def _unsafe(self) -> list[tuple[bool, str]]:
        """What would let strangers in or lose payments, as (is it so, sentence)."""
        live, production = "_live_" in self.stripe_secret_key, self.is_production
        return [
            (
                production and len(self.secret_key) < 32,  # every default there ever was is shorter
                "PURSER_SECRET_KEY is missing, a default or shorter than 32 characters.",
            ),
            (
                live and self.env in ("demo", "test"),
                "STRIPE_SECRET_KEY is a live key: the demo and tests would charge real cards.",
            ),
            (live and bool(self.stripe_api_base), "STRIPE_API_BASE must not be set together with a live key."),
            *(line for channel, key in CHANNEL_KEYS.items() for line in self._unsafe_secrets(channel, key)),
            (
                bool(self.polar_access_token)
                and self.polar_api_base in ("", "https://api.polar.sh")
                and self.env in ("demo", "test"),
                "POLAR_ACCESS_TOKEN charges real cards unless POLAR_API_BASE is the address of Polar's sandbox.",
            ),
            (
                bool(self.lemonsqueezy_api_key) and self.lemonsqueezy_test_mode != 1 and self.env in ("demo", "test"),
                "LEMONSQUEEZY_API_KEY charges real cards unless LEMONSQUEEZY_TEST_MODE is 1.",
            ),
            *self._unsafe_creem(),
            (production and bool(self.clock_file), "PURSER_CLOCK_FILE moves the clock and is for the demo only."),
            (production and self.password_memory_kib < 19456, "PURSER_PASSWORD_MEMORY_KIB must be 19456 or more."),
        ]

    def _unsafe_creem(self) -> list[tuple[bool, str]]:
        """A key of Creem's says by its beginning whether money is real."""
        live = bool(self.creem_api_key) and not self.creem_api_key.startswith("creem_test_")
        return [
            (
                live and self.env in ("demo", "test"),
                "CREEM_API_KEY is a live key: the demo and tests would charge real cards.",
            ),
            (live and bool(self.creem_api_base), "CREEM_API_BASE must not be set together with a live key."),
        ]

    def _unsafe_secrets(self, channel: str, key: str) -> list[tuple[bool, str]]:
        """What lets anybody sign as this channel's provider, or nobody."""
        name, named_key = variable(f"{channel}_webhook_secret"), variable(key)
        secret: str = getattr(self, f"{channel}_webhook_secret")
        previous: str = getattr(self, f"{channel}_webhook_secret_previous")
        return [
            (
                bool(getattr(self, key)) and not secret,
                f"{name} is missing although {named_key} is set: payments would never arrive.",
            ),
            (bool(secret) and len(secret.strip()) < 16, f"{name} is too short to be one."),
            (bool(previous) and len(previous.strip()) < 16, f"{name}_PREVIOUS is too short to be one."),
        ]

    def _senseless(self) -> list[tuple[bool, str]]:
        """What would only fail later, on somebody's page."""
        known = ", ".join(sorted(EXPONENTS))
        # The URL of the mail server holds a password, so it is not quoted.
        strange_mail = bool(self.smtp_url) and not self.smtp_url.startswith(("smtp://", "smtps://"))
        return [
            (
                self.env not in ("production", "demo", "test"),
                f"PURSER_ENV is {self.env!r}; use production, demo or test.",
            ),
            (
                self.signup_credit_when not in ("signup", "verified"),
                "PURSER_SIGNUP_CREDIT_WHEN must be signup or verified.",
            ),
            (self.staff_totp not in ("", "required", "optional"), "PURSER_STAFF_TOTP must be required or optional."),
            (self.currency not in EXPONENTS, f"PURSER_CURRENCY is {self.currency!r}; use one of {known}."),
            (
                self.commission_percent > 100,
                "PURSER_COMMISSION_PERCENT must be 100 or less: the rest of the price is the publisher's.",
            ),
            *self._senseless_invoices(),
            *self._senseless_calls(),
            *self._senseless_store(),
            (strange_mail, "SMTP_URL must begin with smtp:// or smtps://."),
            (
                bool(self.redis_url) and find_spec("redis") is None,
                "REDIS_URL needs the Python package redis, which is not installed.",
            ),
        ]

    def _senseless_invoices(self) -> list[tuple[bool, str]]:
        """What would stand wrong on every invoice, where it can never be corrected."""
        prefixes = (self.invoice_prefix, self.credit_note_prefix)
        return [
            (
                bool(self.seller_country) and not _COUNTRY.match(self.seller_country),
                "PURSER_SELLER_COUNTRY must be two capital letters, such as GB or DE.",
            ),
            (
                not all(_PREFIX.match(prefix) for prefix in prefixes),
                "PURSER_INVOICE_PREFIX and PURSER_CREDIT_NOTE_PREFIX must be 1 to 16 capitals, figures and dashes.",
            ),
            (
                self.invoice_prefix == self.credit_note_prefix,
                "PURSER_INVOICE_PREFIX and PURSER_CREDIT_NOTE_PREFIX must differ: each is a series of its own.",
            ),
        ]

    def _senseless_store(self) -> list[tuple[bool, str]]:
        """What would not name anything at Lemon Squeezy, which calls everything by a number."""
        store, variant = self.lemonsqueezy_store_id, self.lemonsqueezy_variant_id
        used = bool(self.lemonsqueezy_api_key)
        return [
            (used and not _NUMBER.match(store), "LEMONSQUEEZY_STORE_ID must be the number of the store."),
            (bool(variant) and not _NUMBER.match(variant), "LEMONSQUEEZY_VARIANT_ID must be the number of a variant."),
        ]

    def _senseless_calls(self) -> list[tuple[bool, str]]:
        """Addresses that a key would travel to in the clear, and limits under which no call could end."""
        elsewhere = [setting.name for setting in fields(self) if setting.name.endswith(_CALLED_AT)]
        return [
            *(
                (
                    bool(getattr(self, name)) and not _SAFE_ADDRESS.match(getattr(self, name)),
                    f"{variable(name)} must begin with https://, or with http:// on this machine.",
                )
                for name in elsewhere
                if name not in _NOT_CALLED
            ),
            (not 10 <= self.llm_timeout <= 3600, "PURSER_LLM_TIMEOUT must be 10 to 3600 seconds."),
            (not 1 <= self.llm_max_tokens <= 1_000_000, "PURSER_LLM_MAX_TOKENS must be 1 to 1000000."),
        ]

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
