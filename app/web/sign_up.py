"""Signing up, and confirming the e-mail address (SPEC W1)."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.config import Settings
from app.db import transaction
from app.errors import Conflict, Refusal
from app.extensions import db
from app.flows import sign_up as flow
from app.http import destinations, limits, refused
from app.http.auth import current_session, current_user, sign_in_required
from app.people import addresses, email_links, users
from app.people.email_links import LinkDead
from app.web.person_forms import SignUpForm

sign_up = Blueprint("sign_up", __name__)

TEMPLATE = "sign_up/show.html"


@sign_up.get("/sign-up")
def show() -> ResponseReturnValue:
    """The form; whoever is signed in has an account."""
    if current_user.is_authenticated:
        return redirect("/", 303)
    form = SignUpForm(formdata=None, next=destinations.safe(request.args.get("next"), ""))
    return render_template(TEMPLATE, form=form, credit=_settings().signup_credit)


@sign_up.post("/sign-up")
def create() -> ResponseReturnValue:
    """Open the account. The answer is the same for an address that has one: its owner is told by mail, nobody else."""
    form, credit = SignUpForm(), _settings().signup_credit
    if not form.validate():
        return refused.form_page(TEMPLATE, form, credit=credit)
    try:
        limits.spend("sign-up.address", limits.address())
        flow.sign_up(
            db.session,
            _settings(),
            name=form.typed("name"),
            email=form.typed("email"),
            password=form.typed("password"),
            company=form.typed("company"),
        )
    except Refusal as refusal:
        return refused.form_page(TEMPLATE, form, refusal, "email", credit=credit)
    session["typed_email"] = addresses.clean(form.typed("email"))
    # Whoever came to buy a plan goes on to it once they have signed in.
    return redirect(url_for("sign_in.show", joined=1, next=destinations.safe(form.next.data, "") or None), 303)


@sign_up.get("/verify-email/<token>")
def ask(token: str) -> ResponseReturnValue:
    """A button, since looking must not use the link up: mail scanners follow links."""
    if not email_links.works(db.session, token, "verify"):
        return render_template("sign_up/dead.html"), 410
    return render_template("sign_up/verify.html", token=token)


@sign_up.post("/verify-email/<token>")
def verify(token: str) -> ResponseReturnValue:
    """The address is theirs."""
    limits.spend("link.address", limits.address())
    try:
        flow.verify(db.session, _settings(), token)
    except (LinkDead, Conflict):
        return render_template("sign_up/dead.html"), 410
    flash("Your email address is confirmed.", "pos")
    return redirect("/" if current_user.is_authenticated else url_for("sign_in.show"), 303)


@sign_up.post("/verify-email")
@sign_in_required
def resend() -> ResponseReturnValue:
    """Mail the link again."""
    user = users.by_id(db.session, current_session().id)
    assert user is not None, "a session has its user"
    limits.spend("verify.account", user.id)
    with transaction(db.session):
        flow.ask_to_verify(db.session, _settings(), user, user.email)
    flash(f"We have sent a link to {user.email}.", "pos")
    return redirect(url_for("profile.show"), 303)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
