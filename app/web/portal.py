"""The way in from the host product: a link that signs its user in once, on the pages of one customer."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request

from app.customers import portal_links
from app.customers.portal_links import PortalLinkDead
from app.db import transaction
from app.extensions import db
from app.http import limits
from app.http.auth import current_session, current_user, start_session
from app.people import sessions

portal = Blueprint("portal", __name__)


@portal.get("/portal/<token>")
def enter(token: str) -> Response:
    """Use the link up and go to its page. Whoever was signed in with this browser before is not any more."""
    if request.method == "HEAD":  # something looks whether the link is there: that must not use it up
        return _quiet(Response())
    try:
        with transaction(db.session):
            followed = portal_links.follow(
                db.session(),
                token,
                address=request.remote_addr or "",
                browser=request.headers.get("User-Agent", ""),
            )
            if current_user.is_authenticated:
                sessions.end(db.session(), current_session().token)
    except PortalLinkDead:
        return _dead(token)
    start_session(followed.session_token)
    return _quiet(make_response(redirect(followed.path, 303)))


def _dead(token: str) -> Response:
    limits.spend("link.address", limits.address())  # only what fails is counted: a whole office may have one address
    back = portal_links.way_back(db.session(), token)
    shown = render_template("portal/dead.html", back=back, host=urlsplit(back or "").hostname)
    return _quiet(make_response(shown, 410))


def _quiet(response: Response) -> Response:
    """The address is a secret until it is used, and nobody else's business afterwards."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
