"""How pages write money and time."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask
from markupsafe import Markup

_SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}


def register(app: Flask) -> None:
    """Filters for the templates."""
    app.jinja_env.filters.update(money=money, moment=moment)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def money(amount: int, currency: str) -> str:
    """$1,234.50 from minor units."""
    whole, part = divmod(abs(amount), 100)
    sign = _SIGNS.get(currency)
    shown = f"{sign}{whole:,}.{part:02d}" if sign else f"{whole:,}.{part:02d} {currency.upper()}"
    return f"−{shown}" if amount < 0 else shown


def moment(epoch: int) -> Markup:
    """21 Nov 2026 14:22 UTC, as a time element."""
    at = datetime.fromtimestamp(epoch, UTC)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}">{} {}</time>').format(stamp, at.day, at.strftime("%b %Y %H:%M:%S UTC"))
