"""web: the pages customers and their members see, each in a file named for it."""

from __future__ import annotations

from flask import Flask

from app.config import Settings
from app.web.api_keys import api_keys
from app.web.auto_top_up import auto_top_up
from app.web.browser_names import browser_name
from app.web.buyer import buyer
from app.web.check_in import check_in
from app.web.credits import credits_page
from app.web.forgotten import forgotten
from app.web.gallery import gallery
from app.web.invitations import invitations
from app.web.invoices import invoices
from app.web.model_spend import model_spend
from app.web.notices import notices
from app.web.orders import orders
from app.web.overview import overview
from app.web.packs import packs
from app.web.payment_methods import payment_methods
from app.web.plan import plan
from app.web.plan_actions import plan_actions
from app.web.plan_cancel import plan_cancel
from app.web.plan_change import plan_change
from app.web.portal import portal
from app.web.pricing import pricing
from app.web.profile import profile
from app.web.refunds import refunds
from app.web.second_factor import second_factor
from app.web.sign_in import sign_in
from app.web.sign_up import sign_up
from app.web.statements import statements
from app.web.team import team
from app.web.top_up import top_up
from app.web.usage import usage
from app.web.wallet import wallet


def register(app: Flask) -> None:
    """Bind this package's pages and handlers to the application."""
    app.register_blueprint(overview)
    app.register_blueprint(usage)
    app.register_blueprint(model_spend)
    app.register_blueprint(wallet)
    app.register_blueprint(statements)
    app.register_blueprint(credits_page)
    app.register_blueprint(top_up)
    app.register_blueprint(refunds)
    app.register_blueprint(pricing)
    for pages in (plan, plan_change, plan_cancel, plan_actions, payment_methods):
        app.register_blueprint(pages)
    for pages in (invoices, orders, packs):
        app.register_blueprint(pages)
    app.register_blueprint(buyer)
    app.register_blueprint(check_in)
    app.register_blueprint(notices)
    app.register_blueprint(auto_top_up)
    for pages in (sign_in, sign_up, forgotten, invitations, portal, profile, second_factor, team, api_keys):
        app.register_blueprint(pages)
    app.jinja_env.filters["browser"] = browser_name
    settings: Settings = app.extensions["settings"]
    if not settings.is_production:
        app.register_blueprint(gallery)
