"""Settings: environment variables, read here and nowhere else, listed in docs/settings.md (SPEC §13)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").exists() else Path.cwd()

_KNOWN_DEFAULTS = {"", "dev", "secret", "changeme", "change-me", "development"}


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
    smtp_url: str = field(default="", repr=False)
    mail_from: str = "Purser <billing@localhost>"
    redis_url: str = field(default="", repr=False)
    trusted_proxies: int = 0
    clock_file: str = ""
    demo_directory: str = str(ROOT / "var" / "demo")
    password_memory_kib: int = 19456  # what hashing a password costs; less only where no real passwords are
    commission_percent: int = 20  # of a paid skill's list price (SPEC U8)
    markup_percent: int = 15  # on upstream cost (SPEC U8)

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://")

    def problems(self) -> list[str]:
        """Why this installation must not start, in sentences; empty when it may."""
        found = []
        if self.env not in ("production", "demo", "test"):
            found.append(f"PURSER_ENV is {self.env!r}; use production, demo or test.")
        if self.is_production and (self.secret_key.lower() in _KNOWN_DEFAULTS or len(self.secret_key) < 32):
            found.append("PURSER_SECRET_KEY is missing, a default or shorter than 32 characters.")
        if self.stripe_api_base and "_live_" in self.stripe_secret_key:
            found.append("STRIPE_API_BASE must not be set together with a live key.")
        if self.stripe_secret_key and not self.stripe_webhook_secret:
            found.append(
                "STRIPE_WEBHOOK_SECRET is missing although STRIPE_SECRET_KEY is set: payments would never arrive."
            )
        if self.stripe_webhook_secret and len(self.stripe_webhook_secret) < 16:
            found.append("STRIPE_WEBHOOK_SECRET is too short to be one.")
        if self.stripe_webhook_secret_previous and len(self.stripe_webhook_secret_previous) < 16:
            found.append("STRIPE_WEBHOOK_SECRET_PREVIOUS is too short to be one.")
        if self.is_production and self.clock_file:
            found.append("PURSER_CLOCK_FILE moves the clock and is for the demo only.")
        if self.is_production and self.password_memory_kib < 19456:
            found.append("PURSER_PASSWORD_MEMORY_KIB must be 19456 or more.")
        if self.signup_credit_when not in ("signup", "verified"):
            found.append("PURSER_SIGNUP_CREDIT_WHEN must be signup or verified.")
        return found

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
    """The environment variable of a setting: STRIPE_*, SMTP_URL and REDIS_URL as is, the rest under PURSER_."""
    bare = name.startswith("stripe_") or name in ("smtp_url", "redis_url")
    return name.upper() if bare else "PURSER_" + name.upper()


def _converted(name: str, kind: str, text: str) -> object:
    if kind == "int":
        if not text.isascii() or not text.isdigit():
            raise SettingsError([f"{variable(name)} must be a whole number, not {text!r}."])
        return int(text)
    if kind.startswith("tuple"):
        return tuple(part for part in text.split(",") if part)
    return text.lower() if name == "currency" else text
