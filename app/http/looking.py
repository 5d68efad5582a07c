"""Staff who look on as a customer: they read, and change nothing. This is the one place where that is seen to.

Whatever could change something is refused before its view is reached, whoever's page it is; and so are the few
addresses that do something when they are merely opened. The API is not meant: it asks for a key and knows no session.
"""

from __future__ import annotations

from flask import Flask, current_app, flash, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_openapi3.blueprint import APIBlueprint

from app.customers.signed_in import SignedIn
from app.db import transaction
from app.errors import Forbidden
from app.extensions import db
from app.http import hx
from app.people import looking

STOP = "admin_looking.stop"
# What somebody who looks on may send all the same.
ALLOWED = frozenset({STOP, "sign_in.destroy"})
# One-time links: to open one is to use it up, or to become somebody else.
STARTS_SOMETHING = frozenset({"portal.enter", "invitations.show", "sign_up.ask", "forgotten.choose"})
_SAFE = ("GET", "HEAD", "OPTIONS")


class LookingOnly(Forbidden):
    """Somebody who looks on as a customer would change something. Details: stop, where to end it."""

    code = "LOOKING_ONLY"


def register(app: Flask) -> None:
    """Stand before every view that a browser's session can reach. Templates call `looking_on()`."""
    app.jinja_env.globals.update(looking_on=looking_on)
    app.before_request(_stand_before)


def looking_on() -> SignedIn | None:
    """Who looks on, in this request; None where people are themselves. Asks nothing of the database."""
    found: SignedIn | None = g.get("looking_on")
    return found


def _stand_before() -> ResponseReturnValue | None:
    # Files, and what a program calls with a key, have nothing to do with who is signed in here.
    if request.endpoint == "static" or _is_for_programs(request.blueprint):
        return None
    if not request.cookies or not current_user.is_authenticated:
        return None
    who: SignedIn = current_user._get_current_object()  # noqa: SLF001  # werkzeug's own way to the object behind
    if who.looks_on is None or request.endpoint in ALLOWED:
        return None
    g.looking_on = who
    if request.method not in _SAFE or request.endpoint in STARTS_SOMETHING:
        raise LookingOnly(
            "You are looking on as a customer, so nothing was done. Stop looking on first.", stop=url_for(STOP)
        )
    return _end_if_over(who)


def _end_if_over(who: SignedIn) -> ResponseReturnValue | None:
    """After 30 minutes, or without the role, they are themselves again, and are told so before they go on."""
    assert who.looks_on is not None, "whoever looks on looks on as somebody"
    if who.customer_id is not None:
        return None
    g.looking_on = None
    with transaction(db.session()):
        looking.stop(db.session(), who.token, who.id)
    flash("You are no longer looking on: 30 minutes are over.", "warn")
    return hx.go(url_for("admin_customers.show", customer_id=who.looks_on) if who.staff_role else "/")


def _is_for_programs(blueprint: str | None) -> bool:
    # By what it is, not by its name: the page on which people make their keys is called "api_keys".
    is_called = blueprint is not None and isinstance(current_app.blueprints.get(blueprint), APIBlueprint)
    return is_called or blueprint in ("health", "payment_webhooks")
