"""Staff: one endpoint of the host product. Admins open, change, switch off and remove it, and replace its secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for

from app.admin.outgoing import standing
from app.admin.roles import actor, may_edit_catalogue, staff_edits_catalogue, staff_reads
from app.config import Settings
from app.db import transaction
from app.errors import Invalid, Refusal
from app.extensions import db
from app.http import hx
from app.http.errors import status_of
from app.outgoing import EVENT_TYPES, endpoints, reads
from app.outgoing.models import WebhookEndpoint

pages = Blueprint("admin_outgoing_endpoints", __name__, url_prefix="/admin/outgoing/endpoints")


@pages.get("/new")
@staff_edits_catalogue
def new() -> str:
    """The form for another endpoint."""
    return _page(None, url="", types=list(EVENT_TYPES))


@pages.post("")
@staff_edits_catalogue
def create() -> Response:
    """Open it, and show its secret this once: it stands in this answer and nowhere else."""
    try:
        with transaction(db.session()):
            endpoint, secret = endpoints.open_endpoint(db.session(), *_asked(), private=_private(), actor=actor())
    except Refusal as refusal:
        return _refused(None, refusal)
    return hx.answer(_page(endpoint, url=endpoint.url, types=endpoint.types, secret=secret), 201)


@pages.get("/<endpoint_id>")
@staff_reads
def show(endpoint_id: str) -> str:
    """Where it is, what it is told, how it stands."""
    endpoint = reads.endpoint(db.session(), endpoint_id)
    return _page(endpoint, url=endpoint.url, types=endpoint.types)


@pages.post("/<endpoint_id>")
@staff_edits_catalogue
def change(endpoint_id: str) -> Response:
    """Another address, other types."""
    try:
        with transaction(db.session()):
            endpoints.change(db.session(), endpoint_id, *_asked(), private=_private(), actor=actor())
    except Refusal as refusal:
        return _refused(reads.endpoint(db.session(), endpoint_id), refusal)
    return _back(endpoint_id, "The endpoint is saved.")


@pages.post("/<endpoint_id>/secret")
@staff_edits_catalogue
def replace_secret(endpoint_id: str) -> Response:
    """A new secret, shown this once; the old one signs as well for a day."""
    with transaction(db.session()):
        endpoint, secret = endpoints.replace_secret(db.session(), endpoint_id, actor=actor())
    return hx.answer(_page(endpoint, url=endpoint.url, types=endpoint.types, secret=secret), 201)


@pages.post("/<endpoint_id>/off")
@staff_edits_catalogue
def switch_off(endpoint_id: str) -> Response:
    """Send nothing there; what waits is kept."""
    with transaction(db.session()):
        endpoints.switch_off(db.session(), endpoint_id, why=None, actor=actor())
    return _back(endpoint_id, "Nothing is sent there until it is switched on.")


@pages.post("/<endpoint_id>/on")
@staff_edits_catalogue
def switch_on(endpoint_id: str) -> Response:
    """Send again, at once what was waiting."""
    with transaction(db.session()):
        endpoints.switch_on(db.session(), endpoint_id, actor=actor())
    return _back(endpoint_id, "It is told again, of what was waiting too.")


@pages.post("/<endpoint_id>/remove")
@staff_edits_catalogue
def remove(endpoint_id: str) -> Response:
    """Tell it nothing any more, for good."""
    with transaction(db.session()):
        endpoints.remove(db.session(), endpoint_id, actor=actor())
    flash("The endpoint is removed.", "pos")
    return hx.go(url_for("admin_outgoing.index"))


def _typed() -> tuple[str, list[str]]:
    return request.form.get("url", "").replace("\0", ""), request.form.getlist("types")


def _asked() -> tuple[str, list[str]]:
    """What was typed. Raises Invalid where nothing is ticked: to nobody that would mean everything."""
    url, types = _typed()
    if not types:
        raise Invalid("Choose at least one.", field="types")
    return url, types


def _private() -> bool:
    settings: Settings = current_app.extensions["settings"]
    return settings.hooks_may_be_private


def _refused(endpoint: WebhookEndpoint | None, refusal: Refusal) -> Response:
    url, types = _typed()
    return hx.answer(_page(endpoint, url=url, types=types, refusal=refusal), max(422, status_of(refusal)))


def _back(endpoint_id: str, words: str) -> Response:
    flash(words, "pos")
    return hx.go(url_for(".show", endpoint_id=endpoint_id))


def _page(
    endpoint: WebhookEndpoint | None,
    *,
    url: str,
    types: Sequence[str],
    secret: str | None = None,
    refusal: Refusal | None = None,
) -> str:
    shown: dict[str, Any] = {
        "endpoint": endpoint,
        "url": url,
        "chosen": list(types) or list(EVENT_TYPES),
        "event_types": EVENT_TYPES,
        "secret": secret,
        "errors": {refusal.field or "url": refusal.sentence} if refusal else {},
        "standing": standing,
        "may_edit": may_edit_catalogue(),
        "private": _private(),
    }
    return render_template("admin/outgoing/endpoint.html", **shown)
