"""Why an installation must not start: settings that are unsafe, and those that would only fail later."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib.util import find_spec

from app.config import CHANNEL_KEYS, Settings, variable
from app.money import EXPONENTS

_PREFIX = re.compile(r"[A-Z0-9][A-Z0-9-]{0,15}\Z", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,20}\Z", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}\Z", re.ASCII)
# Other addresses of vendors, which our keys are sent to; user names and the like have no place in them.
_CALLED_AT = ("_base_url", "_api_base")
_NOT_CALLED = ("stripe_api_base",)  # refused together with a live key instead: the demo's sandbox may be anywhere
_SAFE_ADDRESS = re.compile(
    r"(?:https://[A-Za-z0-9.-]+|http://(?:127\.0\.0\.1|localhost|\[::1\]))(?::\d+)?(?:/[\w./-]*)?\Z"
)


def of(settings: Settings) -> list[str]:
    """Why this installation must not start, in sentences; empty when it may."""
    return [sentence for wrong, sentence in (*_unsafe(settings), *_senseless(settings)) if wrong]


def _unsafe(settings: Settings) -> list[tuple[bool, str]]:
    """What would let strangers in or lose payments, as (is it so, sentence)."""
    live, production = "_live_" in settings.stripe_secret_key, settings.is_production
    return [
        (
            production and len(settings.secret_key) < 32,  # every default there ever was is shorter
            "PURSER_SECRET_KEY is missing, a default or shorter than 32 characters.",
        ),
        (
            live and settings.env in ("demo", "test"),
            "STRIPE_SECRET_KEY is a live key: the demo and tests would charge real cards.",
        ),
        (live and bool(settings.stripe_api_base), "STRIPE_API_BASE must not be set together with a live key."),
        *(line for channel, key in CHANNEL_KEYS.items() for line in _unsafe_secrets(settings, channel, key)),
        (
            bool(settings.polar_access_token)
            and settings.polar_api_base in ("", "https://api.polar.sh")
            and settings.env in ("demo", "test"),
            "POLAR_ACCESS_TOKEN charges real cards unless POLAR_API_BASE is the address of Polar's sandbox.",
        ),
        (
            bool(settings.lemonsqueezy_api_key)
            and settings.lemonsqueezy_test_mode != 1
            and settings.env in ("demo", "test"),
            "LEMONSQUEEZY_API_KEY charges real cards unless LEMONSQUEEZY_TEST_MODE is 1.",
        ),
        *_unsafe_creem(settings),
        (production and bool(settings.clock_file), "PURSER_CLOCK_FILE moves the clock and is for the demo only."),
        (production and settings.password_memory_kib < 19456, "PURSER_PASSWORD_MEMORY_KIB must be 19456 or more."),
    ]


def _unsafe_creem(settings: Settings) -> list[tuple[bool, str]]:
    """A key of Creem's says by its beginning whether money is real."""
    live = bool(settings.creem_api_key) and not settings.creem_api_key.startswith("creem_test_")
    return [
        (
            live and settings.env in ("demo", "test"),
            "CREEM_API_KEY is a live key: the demo and tests would charge real cards.",
        ),
        (live and bool(settings.creem_api_base), "CREEM_API_BASE must not be set together with a live key."),
    ]


def _unsafe_secrets(settings: Settings, channel: str, key: str) -> list[tuple[bool, str]]:
    """What lets anybody sign as this channel's provider, or nobody."""
    name, named_key = variable(f"{channel}_webhook_secret"), variable(key)
    secret: str = getattr(settings, f"{channel}_webhook_secret")
    previous: str = getattr(settings, f"{channel}_webhook_secret_previous")
    return [
        (
            bool(getattr(settings, key)) and not secret,
            f"{name} is missing although {named_key} is set: payments would never arrive.",
        ),
        (bool(secret) and len(secret.strip()) < 16, f"{name} is too short to be one."),
        (bool(previous) and len(previous.strip()) < 16, f"{name}_PREVIOUS is too short to be one."),
    ]


def _senseless(settings: Settings) -> list[tuple[bool, str]]:
    """What would only fail later, on somebody's page."""
    known = ", ".join(sorted(EXPONENTS))
    # The URL of the mail server holds a password, so it is not quoted.
    strange_mail = bool(settings.smtp_url) and not settings.smtp_url.startswith(("smtp://", "smtps://"))
    return [
        (
            settings.env not in ("production", "demo", "test"),
            f"PURSER_ENV is {settings.env!r}; use production, demo or test.",
        ),
        (
            settings.signup_credit_when not in ("signup", "verified"),
            "PURSER_SIGNUP_CREDIT_WHEN must be signup or verified.",
        ),
        (settings.staff_totp not in ("", "required", "optional"), "PURSER_STAFF_TOTP must be required or optional."),
        (settings.currency not in EXPONENTS, f"PURSER_CURRENCY is {settings.currency!r}; use one of {known}."),
        (
            settings.commission_percent > 100,
            "PURSER_COMMISSION_PERCENT must be 100 or less: the rest of the price is the publisher's.",
        ),
        *_senseless_invoices(settings),
        *_senseless_calls(settings),
        *_senseless_store(settings),
        (strange_mail, "SMTP_URL must begin with smtp:// or smtps://."),
        (
            bool(settings.redis_url) and find_spec("redis") is None,
            "REDIS_URL needs the Python package redis, which is not installed.",
        ),
    ]


def _senseless_invoices(settings: Settings) -> list[tuple[bool, str]]:
    """What would stand wrong on every invoice, where it can never be corrected."""
    prefixes = (settings.invoice_prefix, settings.credit_note_prefix)
    return [
        (
            bool(settings.seller_country) and not _COUNTRY.match(settings.seller_country),
            "PURSER_SELLER_COUNTRY must be two capital letters, such as GB or DE.",
        ),
        (
            not all(_PREFIX.match(prefix) for prefix in prefixes),
            "PURSER_INVOICE_PREFIX and PURSER_CREDIT_NOTE_PREFIX must be 1 to 16 capitals, figures and dashes.",
        ),
        (
            settings.invoice_prefix == settings.credit_note_prefix,
            "PURSER_INVOICE_PREFIX and PURSER_CREDIT_NOTE_PREFIX must differ: each is a series of its own.",
        ),
    ]


def _senseless_store(settings: Settings) -> list[tuple[bool, str]]:
    """What would not name anything at Lemon Squeezy, which calls everything by a number."""
    store, variant = settings.lemonsqueezy_store_id, settings.lemonsqueezy_variant_id
    used = bool(settings.lemonsqueezy_api_key)
    return [
        (used and not _NUMBER.match(store), "LEMONSQUEEZY_STORE_ID must be the number of the store."),
        (bool(variant) and not _NUMBER.match(variant), "LEMONSQUEEZY_VARIANT_ID must be the number of a variant."),
    ]


def _senseless_calls(settings: Settings) -> list[tuple[bool, str]]:
    """Addresses that a key would travel to in the clear, and limits under which no call could end."""
    elsewhere = [setting.name for setting in fields(settings) if setting.name.endswith(_CALLED_AT)]
    return [
        *(
            (
                bool(getattr(settings, name)) and not _SAFE_ADDRESS.match(getattr(settings, name)),
                f"{variable(name)} must begin with https://, or with http:// on this machine.",
            )
            for name in elsewhere
            if name not in _NOT_CALLED
        ),
        (not 10 <= settings.llm_timeout <= 3600, "PURSER_LLM_TIMEOUT must be 10 to 3600 seconds."),
        (not 1 <= settings.llm_max_tokens <= 1_000_000, "PURSER_LLM_MAX_TOKENS must be 1 to 1000000."),
    ]
