"""The public price lists (SPEC P1): `/pricing` for people, `/pricing.md` for machines, both from the live catalogue."""

from __future__ import annotations

from email.utils import parseaddr

from flask import Blueprint, Response, current_app, render_template, request

from app.catalogue import reads
from app.config import Settings
from app.extensions import db
from app.http import hx
from app.http.filters import currency_name
from app.web import pricing_markdown, pricing_table

pricing = Blueprint("pricing", __name__)


@pricing.get("/pricing")
def show() -> str:
    """Every plan on offer, by the month or by the year: needs no sign-in and no script."""
    catalogue, yearly = reads.live(db.session()), request.args.get("cycle") == "yearly"
    settings = _settings()
    return render_template(
        "pricing/_plans.html" if hx.is_partial() else "pricing/show.html",
        yearly=yearly,
        has_yearly=any(plan.yearly_minor is not None for plan in catalogue.plans),
        months_free=pricing_table.months_free(catalogue.plans),
        cards=pricing_table.cards(catalogue, yearly=yearly),
        sections=pricing_table.sections(catalogue),
        catalogue=catalogue,
        services=[(one.name, pricing_table.service_price(one, settings.markup_percent)) for one in catalogue.services],
        contact=contact_of(settings),
    )


@pricing.get("/pricing.md")
def markdown() -> Response:
    """The same as Markdown tables."""
    catalogue = reads.live(db.session())
    text = pricing_markdown.document(
        catalogue,
        currency_name=currency_name(),
        markup_percent=_settings().markup_percent,
        contact=contact_of(_settings()),
    )
    return Response(text, mimetype="text/markdown")


def contact_of(settings: Settings) -> str:
    """Where to write about a custom plan: the address mails come from, unless it is only this machine."""
    address = parseaddr(settings.mail_from)[1]
    return "" if address.endswith("@localhost") else address


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
