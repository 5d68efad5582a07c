"""web: the pages customers and their members see, each in a file named for it."""

from __future__ import annotations

from flask import Flask

from app.config import Settings
from app.web.gallery import gallery
from app.web.overview import overview
from app.web.top_up import top_up
from app.web.wallet import wallet


def register(app: Flask) -> None:
    """Bind this package's pages and handlers to the application."""
    app.register_blueprint(overview)
    app.register_blueprint(wallet)
    app.register_blueprint(top_up)
    settings: Settings = app.extensions["settings"]
    if not settings.is_production:
        app.register_blueprint(gallery)
