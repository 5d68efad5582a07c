"""Signing in and out (ASVS V6, V7)."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from app.customers import members
from app.db import transaction
from app.errors import Refusal
from app.extensions import db
from app.http import destinations, limits, refused
from app.http.auth import current_session, current_user, end_session, landing_page, start_session
from app.people import addresses, sessions, users
from app.people import sign_in as proof
from app.people.models import User
from app.web.person_forms import SignInForm

sign_in = Blueprint("sign_in", __name__)

TEMPLATE = "sign_in/show.html"


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
    token = begin_session(user, proof.renewed_hash(user, form.typed("password")))
    start_session(token)
    return redirect(destinations.safe(form.next.data, landing_page(token)), 303)


@sign_in.post("/sign-out")
def destroy() -> ResponseReturnValue:
    """End the session on our side, and have the browser forget what it kept of these pages."""
    end_session()
    response = redirect("/sign-in", 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


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
