"""api: the HTTP API of SPEC §12, its OpenAPI document, its readable pages, and the health checks."""

from __future__ import annotations

from flask import Flask

from app.api import calls, docs
from app.api.balance_refunds import balance_refunds
from app.api.billing import billing
from app.api.charges import charges
from app.api.check_in import daily_check_in, staff_check_in
from app.api.credits import api_credits
from app.api.debits import wallet_debits
from app.api.entitlements import api_entitlements
from app.api.health import health
from app.api.holds import wallet_holds
from app.api.invoices import api_invoices
from app.api.llm_proxy import llm_proxy
from app.api.orders import api_orders
from app.api.payment_methods import payment_methods
from app.api.people import api_customers
from app.api.plans import subscription_plans
from app.api.portal import api_portal
from app.api.refunds import billing_refunds
from app.api.resources import api_resources
from app.api.sessions import payment_sessions
from app.api.staff_coupons import staff_coupons
from app.api.staff_credits import staff_credits
from app.api.staff_plans import staff_plans
from app.api.subscriptions import subscriptions
from app.api.top_ups import top_ups
from app.api.usage import api_usage
from app.api.webhook_deliveries import api_webhook_deliveries

GROUPS = [
    billing,
    subscriptions,
    api_invoices,
    api_orders,
    payment_methods,
    payment_sessions,
    subscription_plans,
    top_ups,
    billing_refunds,
    balance_refunds,
    charges,
    wallet_debits,
    wallet_holds,
    llm_proxy,
    api_customers,
    api_portal,
    api_usage,
    api_entitlements,
    api_resources,
    api_credits,
    api_webhook_deliveries,
    staff_plans,
    staff_coupons,
    staff_credits,
    daily_check_in,
    staff_check_in,
]


def register(app: Flask) -> None:
    """Bind this package's pages and handlers to the application."""
    calls.register(app, GROUPS)
    app.register_blueprint(health)
    docs.register(app, GROUPS)
