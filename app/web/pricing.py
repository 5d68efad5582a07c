"""The public price lists (SPEC P1): `/pricing` for people, `/pricing.md` for machines, both from the live catalogue."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, render_template, request

from app.catalogue import reads
from app.config import Settings
from app.extensions import db
from app.http import hx, pricing_list
from app.http.filters import currency_name
from app.web import pricing_markdown

pricing = Blueprint("pricing", __name__)


@pricing.get("/pricing")
def show() -> str:
    """Every plan on offer, by the month or by the year: needs no sign-in and no script."""
    template = "pricing/_plans.html" if hx.is_partial() else "pricing/show.html"
    yearly = request.args.get("cycle") == "yearly"
    return render_template(template, **pricing_list.shown(reads.live(db.session()), _settings(), yearly=yearly))


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


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
