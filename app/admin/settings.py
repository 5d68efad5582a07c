"""The installation's settings, for admins to read: what is set, never a secret, and what doctor would say offline."""

from __future__ import annotations

from dataclasses import Field, dataclass, fields
from typing import Any

from flask import Blueprint, current_app, render_template
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.admin.roles import staff_administers
from app.config import Settings, variable
from app.extensions import db
from app.http import check_up
from app.providers.port import Provider
from app.upstreams import registry

pages = Blueprint("admin_settings", __name__, url_prefix="/admin/settings")

# By the beginning of the setting's name; the first that fits.
GROUPS = (
    ("Stripe", ("stripe_",)),
    ("Lemon Squeezy", ("lemonsqueezy_",)),
    ("Polar", ("polar_",)),
    ("Creem", ("creem_",)),
    ("Models", ("openai_", "anthropic_", "google_", "openrouter_", "llm_")),
    ("Invoices", ("seller_", "invoice_", "credit_note_")),
    ("This installation", ("",)),
)


@dataclass(frozen=True)
class Row:
    """One setting. `shown` is its value, or for a secret whether it is set."""

    name: str
    shown: str
    is_set: bool
    is_secret: bool


@pages.get("")
@staff_administers
def show() -> str:
    """Read-only: settings are environment variables, and take a restart."""
    settings: Settings = current_app.extensions["settings"]
    providers: dict[str, Provider] = current_app.extensions["providers"]
    return render_template(
        "admin/settings/show.html",
        groups=groups(settings),
        checks=check_up.offline(settings, db.engine, providers),
        providers=[(provider.title, provider.livemode) for provider in providers.values()],
        upstreams=[(each.name, each.base_url) for each in registry.configured(settings).values()],
    )


def groups(settings: Settings) -> list[tuple[str, list[Row]]]:
    """Every setting, in groups of what belongs together."""
    found: dict[str, list[Row]] = {title: [] for title, _ in GROUPS}
    for setting in fields(settings):
        title = next(title for title, begins in GROUPS if setting.name.startswith(begins))
        found[title].append(_row(settings, setting))
    return list(found.items())


def _row(settings: Settings, setting: Field[Any]) -> Row:
    value = getattr(settings, setting.name)
    is_set = value != setting.default
    if not setting.repr:  # a secret, as Settings declares it
        return Row(variable(setting.name), "Set" if value else "Not set", bool(value), is_secret=True)
    return Row(variable(setting.name), _plain(setting.name, value), is_set, is_secret=False)


def _plain(name: str, value: object) -> str:
    """The value as text. An address may hold a password, which is left out."""
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    if name == "database_url":
        try:
            return make_url(text).render_as_string(hide_password=True)
        except ArgumentError:
            return "Set"
    return "Set" if "://" in text and "@" in text else text
