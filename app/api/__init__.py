"""api: the HTTP API of SPEC §12, its OpenAPI document, its readable pages, and the health checks."""

from __future__ import annotations

from flask import Flask

from app.api import calls, docs
from app.api.billing import billing
from app.api.charges import charges
from app.api.debits import wallet_debits
from app.api.health import health
from app.api.holds import wallet_holds
from app.api.people import api_customers
from app.api.plans import subscription_plans
from app.api.top_ups import top_ups

GROUPS = [billing, top_ups, charges, wallet_debits, wallet_holds, api_customers, subscription_plans]


def register(app: Flask) -> None:
    """Bind this package's pages and handlers to the application."""
    calls.register(app, GROUPS)
    app.register_blueprint(health)
    docs.register(app, GROUPS)
