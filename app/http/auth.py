"""Who is asking: signed-in people on pages, keys in the API, and what each may do.

Pages: `customer_required("read" | "write" | "owner")` and `staff_required("finance", …)` around the view, then
`current_user` and `current_customer_id()` inside it. The API: `api_caller()`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, cast

from flask import Flask, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user
from werkzeug import Response

from app import clock
from app.config import Settings
from app.customers import customers, members, signed_in
from app.customers.models import Customer
from app.customers.signed_in import SignedIn
from app.db import transaction
from app.errors import Forbidden, Unauthorized
from app.extensions import db, login_manager
from app.http import destinations, hx
from app.http.api_caller import ApiCaller, api_caller
from app.people import looking, passwords, sessions

__all__ = [
    "ApiCaller",
    "api_caller",
    "current_customer_id",
    "current_session",
    "current_user",
    "customer_required",
    "end_session",
    "landing_page",
    "sign_in_required",
    "staff_required",
    "start_session",
]

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]

SECOND_FACTOR = "/profile/second-factor"  # where staff are led who have none, where they need one

MAY_NOT = {
    "read": "You may not see this customer's billing. Ask an owner of the team.",
    "write": "You may look, but not spend or change anything. Ask an owner of the team.",
    "owner": "Only an owner of the team may do this.",
}
LOOKS_ONLY = "You are looking on as this customer: you read what they read, and what changes something is not open."


def register(app: Flask) -> None:
    """Find the person behind a request by the session token in their cookie."""
    settings: Settings = app.extensions["settings"]
    passwords.use(memory_kib=settings.password_memory_kib)
    # Sessions live in our database; a fingerprint of the browser on top of that only signs people out by mistake.
    login_manager.session_protection = None

    @login_manager.user_loader  # type: ignore[untyped-decorator]
    def _load(token: str) -> SignedIn | None:
        return signed_in.load(db.session, token)


def customer_required(permission: str = "read") -> Callable[[View[P]], View[P]]:
    """Only members of the chosen customer with this permission: "read", "write" or "owner", each includes those before.

    Signed out: to the sign-in page. Not allowed: Forbidden.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            who = _who()
            if who is None:
                return _to_sign_in()
            if who.customer_id is None:
                return _choose_another(who)
            if not members.allows(who.permission, permission):
                raise Forbidden(LOOKS_ONLY if who.looks_on else MAY_NOT[permission], needed=permission)
            return view(*args, **kwargs)

        return guarded

    return guard


def staff_required(*roles: str) -> Callable[[View[P]], View[P]]:
    """Only staff with one of these roles; admin may do everything, and no roles means any staff.

    Where PURSER_STAFF_TOTP requires a second factor, who has none is led to setting it up, and to nothing else.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            who = _who()
            if who is None:
                return _to_sign_in()
            if who.staff_role is not None and not who.has_second_factor and _staff_needs_code():
                return hx.go(SECOND_FACTOR)
            if who.staff_role is None or (roles and who.staff_role not in (*roles, "admin")):
                raise Forbidden("This part of the back office is not open to you.")
            return view(*args, **kwargs)

        return guarded

    return guard


def sign_in_required(view: View[P]) -> View[P]:
    """Anyone who signed in themselves, also without a customer: their own profile.

    Not a session that the host product opened: that is for one customer, and their account is more than that.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        who = _who()
        if who is None:
            return _to_sign_in()
        if who.bound:
            raise Forbidden("This is about your own account. Sign out here, then sign in to it.")
        return view(*args, **kwargs)

    return guarded


def current_session() -> SignedIn:
    """The signed-in person with their session. Raises Unauthorized when there is none."""
    if not current_user.is_authenticated:
        raise Unauthorized("Sign in first.")
    return cast("SignedIn", current_user._get_current_object())  # noqa: SLF001  # werkzeug's own way to the object behind


def current_customer_id() -> str:
    """The customer this session looks at. Raises Forbidden when there is none; `customer_required` sees to it."""
    customer_id = current_session().customer_id
    if customer_id is None:
        raise Forbidden(MAY_NOT["read"])
    return customer_id


def current_customer() -> Customer:
    """The customer this session looks at. Raises Forbidden when there is none."""
    found = customers.by_id(db.session(), current_customer_id())
    assert found is not None, "a membership names its customer"
    return found


def start_session(token: str) -> None:
    """Put a fresh session's token into the cookie. What the browser carried before is dropped (fixation)."""
    session.clear()
    who = signed_in.load(db.session, token)
    assert who is not None, "a session that was just begun"
    login_user(who)


def end_session() -> None:
    """Sign this browser out: the row is deleted first, so the cookie is dead even where a copy of it is kept."""
    if current_user.is_authenticated:
        who = current_session()
        with transaction(db.session):
            if who.looks_on is not None:  # the customer reads when it began, so they read when it ended
                looking.stop(db.session(), who.token, who.id)
            sessions.end(db.session, who.token)
    logout_user()
    session.clear()


def landing_page(token: str) -> str:
    """Where a person goes who signed in without having asked for a page."""
    who = signed_in.load(db.session, token)
    only_staff = who is not None and who.staff_role is not None and who.customer_id is None
    return "/admin" if only_staff else "/"


def _who() -> SignedIn | None:
    if not current_user.is_authenticated:
        return None
    who = current_session()
    if clock.now() - who.last_seen_at > sessions.SEEN_AFTER:
        with transaction(db.session):
            sessions.touch(db.session, who.token)
    return who


def _staff_needs_code() -> bool:
    settings: Settings = current_app.extensions["settings"]
    return settings.staff_needs_code


def _to_sign_in() -> ResponseReturnValue:
    """A redirect; htmx would put the sign-in page into a table, so it is told to leave the page instead."""
    target = url_for("sign_in.show", next=destinations.of_this_page())
    if hx.is_partial():
        return Response("", 401, {"HX-Redirect": target})
    return redirect(target, 303)


def _choose_another(who: SignedIn) -> ResponseReturnValue:
    """The chosen membership is gone: go on with another, if there is one, on a page that is merely looked at."""
    if who.bound:
        raise Forbidden("You do not belong to this customer any more.")
    others = members.of_user(db.session, who.id)
    looking = request.method in ("GET", "HEAD")
    if not others and who.staff_role and looking and request.path == "/":
        return redirect("/admin", 303)
    if not others or not looking:
        raise Forbidden("You do not belong to this customer. Ask an owner for an invitation.")
    with transaction(db.session):
        sessions.choose_customer(db.session, who.token, others[0][0])
    return hx.go(destinations.of_this_page())
