"""http: what two entry points share: forms, filters, paging, the frame of a page, errors, limits, who is asking."""

from __future__ import annotations

from flask import Flask
from jinja2 import StrictUndefined

from app.http import assets, errors, filters, headers, hx, shell


def register(app: Flask) -> None:
    """Bind this package's pages and handlers to the application."""
    # A misspelt name in a template is an error to fix, not an empty place on a bill.
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    headers.register(app)
    hx.register(app)
    assets.register(app)
    filters.register(app)
    shell.register(app)
    errors.register(app)
