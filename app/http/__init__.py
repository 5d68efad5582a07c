"""http: what two entry points share: forms, filters, paging, the frame of a page, errors, limits, who is asking."""

from __future__ import annotations

from flask import Flask
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from app.config import Settings
from app.http import (
    assets,
    auth,
    errors,
    filters,
    headers,
    hx,
    limits,
    logs,
    looking,
    origin,
    paths,
    plan_limits,
    shell,
)


def register(app: Flask) -> None:
    """Bind this package's pages and handlers to the application."""
    # A misspelt name in a template is an error to fix, not an empty place on a bill.
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    settings: Settings = app.extensions["settings"]
    if hops := settings.trusted_proxies:
        # Only as many forwarding headers are believed as there are proxies of ours.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    logs.register(app)
    headers.register(app)
    auth.register(app)
    looking.register(app)
    limits.register(app)
    plan_limits.register(app)
    origin.register(app)
    paths.register(app)
    hx.register(app)
    assets.register(app)
    filters.register(app)
    shell.register(app)
    errors.register(app)
