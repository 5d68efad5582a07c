"""Purser: a self-hosted billing dashboard. `create_app` is the wiring, in reading order."""

from __future__ import annotations

from flask import Flask

from app import admin, api, clock, http, settings_problems, web, webhooks
from app.config import ROOT, Settings, SettingsError, resource
from app.db import engine_options, normalised, prepare_engine
from app.extensions import babel, csrf, db, htmx, login_manager
from app.flows import proxy_llm
from app.flows.count_usage import Counter
from app.invoices import seller
from app.ledger import Committer
from app.providers import registry


def create_app(settings: Settings | None = None) -> Flask:
    """The web application. Raises SettingsError, naming every setting at fault, rather than starting unsafe."""
    settings = settings or Settings.from_env()
    if problems := settings_problems.of(settings):
        raise SettingsError(problems)
    if settings.clock_file:
        clock.use_offset_file(ROOT / settings.clock_file)
    seller.use(seller.of(settings))

    templates, static = str(resource("templates")), str(resource("static"))
    app = Flask(__name__, template_folder=templates, static_folder=static, static_url_path="/static")
    app.config.update(_flask_config(settings))
    app.extensions["settings"] = settings

    htmx.init_app(app)  # replaces the request class, so it comes first
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        app.extensions["committer"] = Committer(db.engine)
        app.extensions["counter"] = Counter(db.engine)
        app.extensions["llm_proxy"] = proxy_llm.proxy_of(settings, db.engine)
    login_manager.init_app(app)
    csrf.init_app(app)
    babel.init_app(app)
    app.extensions["providers"] = registry.build(settings)

    http.register(app)
    web.register(app)
    admin.register(app)
    api.register(app)
    webhooks.register(app)
    return app


def _flask_config(settings: Settings) -> dict[str, object]:
    url = normalised(settings.database_url)
    return {
        "SECRET_KEY": settings.secret_key or "test-and-demo-only",
        "SECRET_KEY_FALLBACKS": list(settings.secret_key_fallbacks),
        "SQLALCHEMY_DATABASE_URI": url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(url),
        "SESSION_COOKIE_NAME": "__Host-session" if settings.secure_cookies else "session",
        "SESSION_COOKIE_SECURE": settings.secure_cookies,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": 1_000_000,
        "WTF_CSRF_TIME_LIMIT": None,  # a page left open overnight must still submit; the token dies with the session
        "BABEL_DEFAULT_LOCALE": "en_US",
        "TESTING": settings.env == "test",
    }
