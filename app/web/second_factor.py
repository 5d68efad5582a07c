"""One's own second factor: setting an authenticator app up, recovery codes, and turning it off (ASVS 6.3.3, 7.5.1)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from app.config import Settings
from app.db import transaction
from app.errors import Refusal
from app.extensions import db
from app.flows import second_factor as flow
from app.http import limits, proof, refused, second_step
from app.http.auth import current_session, sign_in_required
from app.http.forms import Form
from app.http.proof import ProofRefused, recently_proved
from app.people import passwords, sessions, users
from app.people import second_factor as codes
from app.people.models import User
from app.web import qr_code

second_factor = Blueprint("second_factor", __name__, url_prefix="/profile/second-factor")

TEMPLATE = "second_factor/show.html"


class BeginForm(Form):
    password = PasswordField("Your password", [InputRequired("Enter your password.")])


class CodeForm(Form):
    code = StringField("Code", [InputRequired("Enter the code.")])


@second_factor.get("")
@sign_in_required
def show() -> ResponseReturnValue:
    """Off, being set up with its QR code, or on with how many recovery codes are left."""
    return render_template(TEMPLATE, form=CodeForm(formdata=None), **_page())


@second_factor.post("/begin")
@sign_in_required
def begin() -> ResponseReturnValue:
    """A new secret, for whom knows the password, however fresh the sign-in: a stolen session must not lock them out.

    It counts for nothing before a code made with it was typed. Their password is proof enough to go on with that.
    """
    form, user = BeginForm(), _me()
    if not form.validate():
        return _again(form)
    try:
        limits.spend("password.account", user.id)
        if not passwords.matches(form.typed("password"), user.password_hash):
            raise ProofRefused("This is not your password.", field="password")
        with transaction(db.session):
            codes.begin(db.session(), user, second_step.keys()[0])
            token = sessions.prove(db.session(), current_session().token)
    except Refusal as refusal:
        return _again(form, refusal, "password")
    proof.keep(token)
    return redirect(url_for(".show"), 303)


@second_factor.post("")
@sign_in_required
@recently_proved
def confirm() -> ResponseReturnValue:
    """On, once the app shows the right code. The recovery codes stand in this answer and nowhere else."""
    form, user, who = CodeForm(), _me(), current_session()
    if not form.validate():
        return _again(form)
    try:
        limits.spend("code.account", user.id)
        keys, code = second_step.keys(), form.typed("code")
        made, token = flow.turn_on(db.session(), _settings().base_url, user, keys, code, who.token)
    except Refusal as refusal:
        return _again(form, refusal)
    proof.keep(token)
    return render_template(TEMPLATE, form=CodeForm(formdata=None), **_page(made)), 201


@second_factor.post("/codes")
@sign_in_required
def new_codes() -> ResponseReturnValue:
    """Ten new recovery codes; the ones before stop working. A code is asked for, however fresh the sign-in is."""
    form, user = CodeForm(), _me()
    if not form.validate():
        return _again(form)
    try:
        second_step.check(user.id, form.typed("code"), field="code")
        with transaction(db.session):
            made = codes.new_codes(db.session(), user)
    except Refusal as refusal:
        return _again(form, refusal)
    return render_template(TEMPLATE, form=CodeForm(formdata=None), **_page(made)), 201


@second_factor.post("/off")
@sign_in_required
def turn_off() -> ResponseReturnValue:
    """The password alone signs in again. A code is asked for, however fresh the sign-in is."""
    form, user, who = CodeForm(), _me(), current_session()
    if not form.validate():
        return _again(form)
    try:
        second_step.check(user.id, form.typed("code"), field="code")
        flow.turn_off(db.session(), _settings().base_url, user, actor=user.id, keep_token=who.token)
    except Refusal as refusal:
        return _again(form, refusal)
    flash("Your second factor is off. The password alone signs you in.", "pos")
    return redirect(url_for(".show"), 303)


def _again(form: Form, refusal: Refusal | None = None, beside: str = "code") -> ResponseReturnValue:
    return refused.form_page(TEMPLATE, form, refusal, beside, **_page())


def _page(made: list[str] | None = None) -> dict[str, Any]:
    session, user, settings = db.session(), _me(), _settings()
    secret = codes.unconfirmed(session, user.id, second_step.keys())
    address = codes.address(secret, name=user.email, issuer=settings.seller_name) if secret else ""
    return {
        "is_on": codes.is_on(session, user.id),
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)) if secret else "",
        "address": address,
        "qr": qr_code.of(address) if secret else None,
        "left": codes.codes_left(session, user.id),
        "codes": made or [],
        "email": user.email,
        "is_staff": current_session().staff_role is not None,
        "is_needed": settings.staff_needs_code and current_session().staff_role is not None,
    }


def _me() -> User:
    user = users.by_id(db.session(), current_session().id)
    assert user is not None, "a session has its user"
    return user


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
