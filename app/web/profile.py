"""One's own profile: name, time zone, e-mail address, password, and the browsers one is signed in with."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.config import Settings
from app.db import transaction
from app.errors import NotFound, Refusal
from app.extensions import db
from app.flows import change_password, sign_up
from app.http import limits, refused
from app.http.auth import current_session, sign_in_required, start_session
from app.http.forms import Form
from app.people import addresses, passwords, sessions, users
from app.people.models import User
from app.web import time_zones
from app.web.person_forms import EmailForm, PasswordForm, PersonForm

profile = Blueprint("profile", __name__, url_prefix="/profile")

TEMPLATE = "profile/show.html"


class WrongPassword(Refusal):
    """Whoever sits at the browser did not prove to be its user."""

    code = "WRONG_PASSWORD"


@profile.get("")
@sign_in_required
def show() -> ResponseReturnValue:
    """Everything on one page."""
    return render_template(TEMPLATE, **_profile())


@profile.post("")
@sign_in_required
def update() -> ResponseReturnValue:
    """Name and time zone."""
    form, user = PersonForm(), _me()
    if not form.validate():
        return _again(form)
    try:
        with transaction(db.session):
            users.rename(db.session, user, form.typed("name"))
            users.set_time_zone(db.session, user, form.typed("time_zone"))
    except Refusal as refusal:
        return _again(form, refusal, "name")
    return _saved("Your profile is saved.")


@profile.post("/email")
@sign_in_required
def change_email() -> ResponseReturnValue:
    """Mail a link to the new address; it counts from the moment the link is followed (ASVS 7.5.1)."""
    form, user = EmailForm(), _me()
    if not form.validate():
        return _again(form)
    try:
        address = addresses.clean(form.typed("email"))
        _prove(user, form.typed("current"))
        limits.spend("verify.account", user.id)
        with transaction(db.session):
            # Also when the address has an account: the link then leads nowhere, and nobody learns that it has one.
            sign_up.ask_to_verify(db.session, _settings(), user, address)
    except Refusal as refusal:
        return _again(form, refusal, "email")
    return _saved(f"We have sent a link to {address}. The new address counts once you follow it.")


@profile.post("/password")
@sign_in_required
def change_own_password() -> ResponseReturnValue:
    """A new password. Every other browser is signed out, and this one gets a new session."""
    form, user = PasswordForm(), _me()
    if not form.validate():
        return _again(form)
    try:
        _prove(user, form.typed("current"))
        passwords.check(form.typed("password"), email=user.email)
        token = change_password.change(
            db.session, _settings().base_url, user.id, form.typed("password"), current_session()
        )
    except Refusal as refusal:
        return _again(form, refusal, "password")
    start_session(token)
    return _saved("Your password is changed. Other browsers are signed out.")


@profile.post("/sessions/end-others")
@sign_in_required
def end_others() -> ResponseReturnValue:
    """Sign out everywhere else."""
    who = current_session()
    with transaction(db.session):
        sessions.end_all(db.session, who.id, keep_token=who.token)
    return _saved("Every other browser is signed out.")


@profile.post("/sessions/<session_id>/end")
@sign_in_required
def end_one(session_id: str) -> ResponseReturnValue:
    """Sign one browser out."""
    with transaction(db.session):
        if not sessions.end_one(db.session, current_session().id, session_id):
            raise NotFound("There is no such session.")
    return _saved("That browser is signed out.")


def _prove(user: User, password: str) -> None:
    limits.spend("password.account", user.id)
    if not passwords.matches(password, user.password_hash):
        raise WrongPassword("This is not your current password.", field="current")


def _profile(sent: Form | None = None) -> dict[str, Any]:
    user, who = _me(), current_session()
    return {
        "user": user,
        "this_session": who.session_id,
        "has_second_factor": who.has_second_factor,
        "sessions": sessions.of_user(db.session, user.id),
        "zones": time_zones.choices(user.time_zone),
        "person_form": sent if isinstance(sent, PersonForm) else PersonForm(formdata=None, obj=user),
        "email_form": sent if isinstance(sent, EmailForm) else EmailForm(formdata=None),
        "password_form": sent if isinstance(sent, PasswordForm) else PasswordForm(formdata=None),
    }


def _again(form: Form, refusal: Refusal | None = None, beside: str = "") -> ResponseReturnValue:
    return refused.form_page(TEMPLATE, form, refusal, beside, **_profile(form))


def _saved(words: str) -> ResponseReturnValue:
    flash(words, "pos")
    return redirect(url_for("profile.show"), 303)


def _me() -> User:
    user = users.by_id(db.session, current_session().id)
    assert user is not None, "a session has its user"
    return user


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
