"""The public price lists (SPEC P1): `/pricing` for people, `/pricing.md` for machines, both from the live catalogue."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, render_template, request
from flask_login import current_user

from app.catalogue import reads
from app.config import Settings
from app.customers import members
from app.extensions import db
from app.http import hx, pricing_list
from app.http.filters import currency_name
from app.subscriptions import standing
from app.subscriptions.periods import Interval
from app.web import pricing_markdown

pricing = Blueprint("pricing", __name__)


@pricing.get("/pricing")
def show() -> str:
    """Every plan on offer, by the month or by the year: needs no sign-in and no script."""
    template = "pricing/_plans.html" if hx.is_partial() else "pricing/show.html"
    yearly = request.args.get("cycle") == "yearly"
    shown = pricing_list.shown(reads.live(db.session()), _settings(), yearly=yearly)
    return render_template(template, **shown, may_choose=_may_choose(), mine=_mine(yearly=yearly))


@pricing.get("/pricing.md")
def markdown() -> Response:
    """The same as Markdown tables."""
    catalogue = reads.live(db.session())
    text = pricing_markdown.document(
        catalogue,
        currency_name=currency_name(),
        markup_percent=_settings().markup_percent,
        contact=pricing_list.contact_of(_settings()),
    )
    return Response(text, mimetype="text/markdown")


def _may_choose() -> bool:
    """Anyone who might become a customer, and whoever may spend for one: others would be led to a refusal."""
    return not current_user.is_authenticated or members.allows(current_user.permission, "write")


def _mine(*, yearly: bool) -> str:
    """The key of the plan that is theirs already, as it is shown: paid so, or the free one; "" for everybody else."""
    if not current_user.is_authenticated or current_user.customer_id is None:
        return ""
    now = standing.of(db.session(), current_user.customer_id)
    cycle = Interval.YEAR if yearly else Interval.MONTH
    return now.plan.key if now.plan is not None and now.interval in (None, cycle) else ""


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
