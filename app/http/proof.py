"""Proving again who one is: what moves money by hand, or makes a key, asks when the last proof is a while ago.

`recently_proved` stands under the decorator that says who may. When the proof is older than fifteen minutes it answers
with a page that asks for it and carries everything that was sent; the form of that page goes to the same address, so
what was typed is done afterwards, once, under its own form key. Nothing is kept meanwhile, here or in the browser, and
no address to go on to can be forged, since there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec
from urllib.parse import urlsplit

from flask import Response, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import login_user

from app import clock
from app.customers import signed_in
from app.customers.signed_in import SignedIn
from app.db import transaction
from app.errors import Forbidden, Refusal, TooManyRequests
from app.extensions import db
from app.http import destinations, hx, limits, second_step
from app.http.auth import current_session
from app.http.errors import told
from app.http.refused import answer
from app.people import passwords, sessions, users

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]

PASSWORD, CODE = "proof_password", "proof_code"
_OURS = (PASSWORD, CODE, "csrf_token")


class OwnSignInNeeded(Forbidden):
    """The host product opened this session; nobody proved to us who sits at it."""

    code = "OWN_SIGN_IN_REQUIRED"


class ProofRefused(Refusal):
    """This is not the password, or not a code that counts."""

    code = "PROOF_REFUSED"


def recently_proved(view: View[P]) -> View[P]:
    """Only with a proof of who it is that is not older than `sessions.PROOF_LASTS`; else ask, and go on afterwards.

    Raises OwnSignInNeeded in a session that the host product opened. For views that are posted to.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        who = current_session()
        if who.bound:
            raise OwnSignInNeeded("Sign in with your own password to do this. A link from elsewhere is not enough.")
        if is_fresh(who):
            return view(*args, **kwargs)
        if PASSWORD not in request.form and CODE not in request.form:
            return _ask(who)
        try:
            _prove(who)
        except Refusal as refusal:
            return _ask(who, refusal)
        return view(*args, **kwargs)

    return guarded


def is_fresh(who: SignedIn) -> bool:
    """Whether they proved who they are a short while ago."""
    return who.proved_at is not None and clock.now() - who.proved_at <= sessions.PROOF_LASTS


def keep(token: str) -> None:
    """The session goes on under this token. The cookie's other contents stay: open pages were made with them."""
    who = signed_in.load(db.session(), token)
    assert who is not None, "a session that was just renewed"
    login_user(who)
    session.modified = True


def _prove(who: SignedIn) -> None:
    """Raises ProofRefused and TooManyRequests. A wrong proof counts against the same limits as at sign-in."""
    if who.has_second_factor:
        second_step.check(who.id, request.form.get(CODE, ""), field=CODE)
    else:
        limits.spend("password.account", who.id)
        user = users.by_id(db.session(), who.id)
        assert user is not None, "a session has its user"
        if not passwords.matches(request.form.get(PASSWORD, ""), user.password_hash):
            raise ProofRefused("This is not your password. Nothing was done yet.", field=PASSWORD)
    with transaction(db.session):
        token = sessions.prove(db.session(), who.token)
    keep(token)


def _ask(who: SignedIn, refusal: Refusal | None = None) -> Response:
    """The page that asks. htmx puts it in the place of the whole page, whatever the form was to replace."""
    page = render_template(
        "proof/show.html",
        action=request.full_path.removesuffix("?"),
        carried=[(name, value) for name, value in request.form.items(multi=True) if name not in _OURS],
        by_code=who.has_second_factor,
        email=who.email,
        back=_back(),
        error=refusal.sentence if refusal else "",
    )
    made = answer(page, refusal)
    if refusal is None:
        # To htmx it is a page like any other: an error would only be noted in the browser's console.
        made.status_code = 200 if hx.is_partial() else 403
    elif not isinstance(refusal, TooManyRequests):
        made.status_code = told(refusal).status
    if hx.is_partial():
        made.headers["HX-Retarget"], made.headers["HX-Reswap"] = "body", "innerHTML"
        made.headers["HX-Push-Url"] = "false"
    return made


def _back() -> str:
    """The page this came from, when it is one of ours."""
    seen = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    try:
        parts = urlsplit(seen)
    except ValueError:
        return "/"
    if parts.netloc != request.host:
        return "/"
    return destinations.safe(parts.path + ("?" + parts.query if parts.query else ""))
