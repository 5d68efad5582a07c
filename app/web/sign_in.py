"""Signing in and out (ASVS V6, V7). With a second factor it takes two steps, and the first alone opens nothing."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.customers import members
from app.db import transaction
from app.errors import Refusal
from app.extensions import db
from app.http import destinations, limits, refused, second_step
from app.http.auth import current_session, current_user, end_session, landing_page, start_session
from app.people import addresses, half_sign_in, second_factor, sessions, users
from app.people import sign_in as proof
from app.people.models import User
from app.web.person_forms import CodeStepForm, SignInForm

sign_in = Blueprint("sign_in", __name__)

TEMPLATE, CODE_TEMPLATE = "sign_in/show.html", "sign_in/code.html"
HALF = "half_signed_in"  # in the cookie: the token of half a sign-in


@sign_in.get("/sign-in")
def show() -> ResponseReturnValue:
    """The form; whoever has signed in already goes on to where they wanted."""
    target = destinations.safe(request.args.get("next"))
    if current_user.is_authenticated and not current_user.bound:
        return redirect(target, 303)
    form = SignInForm(formdata=None, next=target, email=session.get("typed_email", ""))
    return render_template(TEMPLATE, form=form)


@sign_in.post("/sign-in")
def create() -> ResponseReturnValue:
    """Unknown address and wrong password get the same answer, and each try counts for the account and the address."""
    form = SignInForm()
    if not form.validate():
        return refused.form_page(TEMPLATE, form)
    try:
        limits.spend("sign-in.address", limits.address())
        limits.spend("sign-in.account", addresses.key(form.typed("email")))
        user = proof.check(db.session, form.typed("email"), form.typed("password"))
    except Refusal as refusal:
        return refused.form_page(TEMPLATE, form, refusal, "password")
    if second_factor.is_on(db.session(), user.id):
        return _ask_for_code(user, proof.renewed_hash(user, form.typed("password")), form.next.data)
    token = begin_session(user, proof.renewed_hash(user, form.typed("password")))
    start_session(token)
    return redirect(destinations.safe(form.next.data, landing_page(token)), 303)


@sign_in.get("/sign-in/code")
def code() -> ResponseReturnValue:
    """The second step, for whom the first one let this far."""
    if _half() is None:
        return redirect(url_for(".show"), 303)
    form = CodeStepForm(formdata=None, next=destinations.safe(request.args.get("next"), ""))
    return render_template(CODE_TEMPLATE, form=form)


@sign_in.post("/sign-in/code")
def finish() -> ResponseReturnValue:
    """The session begins here. Each try counts for the account, whatever browser or password it came with."""
    form, user = CodeStepForm(), _half()
    if user is None:
        return redirect(url_for(".show", next=destinations.safe(form.next.data, "") or None), 303)
    if not form.validate():
        return refused.form_page(CODE_TEMPLATE, form)
    try:
        limits.spend("sign-in.address", limits.address())
        how = second_step.check(user.id, form.typed("code"), field="code")
    except Refusal as refusal:
        return refused.form_page(CODE_TEMPLATE, form, refusal, "code")
    with transaction(db.session):
        if not half_sign_in.finish(db.session(), session.get(HALF, "")):
            return redirect(url_for(".show"), 303)
    token = begin_session(user)
    start_session(token)
    if how == "recovery":
        left = second_factor.codes_left(db.session(), user.id)
        flash(f"That recovery code is used up. You have {left} left.", "warn")
    return redirect(destinations.safe(form.next.data, landing_page(token)), 303)


@sign_in.post("/sign-out")
def destroy() -> ResponseReturnValue:
    """End the session on our side, and have the browser forget what it kept of these pages."""
    end_session()
    response = redirect("/sign-in", 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _ask_for_code(user: User, renewed_hash: str | None, target: str | None) -> ResponseReturnValue:
    """Remember that the password was right, on our side; the cookie gets its token and loses all else (fixation)."""
    with transaction(db.session):
        if current_user.is_authenticated:
            sessions.end(db.session, current_session().token)
        if renewed_hash:
            users.renew_hash(user, renewed_hash)
        token = half_sign_in.begin(db.session(), user)
    session.clear()
    session[HALF] = token
    return redirect(url_for(".code", next=destinations.safe(target, "") or None), 303)


def _half() -> User | None:
    token = session.get(HALF)
    return half_sign_in.user_of(db.session(), token) if isinstance(token, str) else None


def begin_session(user: User, renewed_hash: str | None = None, customer_id: str | None = None) -> str:
    """A new session for this browser, on the given customer or the oldest membership; an earlier one ends."""
    with transaction(db.session):
        if current_user.is_authenticated:
            sessions.end(db.session, current_session().token)
        if renewed_hash:
            users.renew_hash(user, renewed_hash)
        if customer_id is None:
            customer_id = next((known for known, _ in members.of_user(db.session, user.id)), None)
        return sessions.begin(
            db.session,
            user,
            address=request.remote_addr or "",
            browser=request.headers.get("User-Agent", ""),
            customer_id=customer_id,
        )
