"""A forgotten password: asking for a link, and choosing a new password behind it."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.config import Settings
from app.errors import Refusal
from app.extensions import db
from app.flows import reset_password as flow
from app.http import limits, refused
from app.people import addresses, email_links
from app.people.email_links import LinkDead
from app.web.person_forms import ForgottenForm, NewPasswordForm

forgotten = Blueprint("forgotten", __name__)


@forgotten.get("/forgot-password")
def show() -> ResponseReturnValue:
    """The form."""
    return render_template("forgotten/show.html", form=ForgottenForm(formdata=None), sent=False)


@forgotten.post("/forgot-password")
def create() -> ResponseReturnValue:
    """Mail a link, if there is someone to mail it to. The answer is the same either way."""
    form = ForgottenForm()
    if not form.validate():
        return refused.form_page("forgotten/show.html", form, sent=False)
    try:
        address = addresses.clean(form.typed("email"))
        limits.spend("reset.address", limits.address())
        limits.spend("reset.account", addresses.key(address))
        flow.ask(db.session, _settings().base_url, address)
    except Refusal as refusal:
        return refused.form_page("forgotten/show.html", form, refusal, "email", sent=False)
    return render_template("forgotten/show.html", form=form, sent=True)


@forgotten.get("/reset-password/<token>")
def choose(token: str) -> ResponseReturnValue:
    """The form behind the mailed link."""
    if not email_links.works(db.session, token, "reset"):
        return render_template("forgotten/dead.html"), 410
    return render_template("forgotten/choose.html", form=NewPasswordForm(formdata=None), token=token)


@forgotten.post("/reset-password/<token>")
def finish(token: str) -> ResponseReturnValue:
    """The new password. Every session ends, so everyone signs in again, thieves included."""
    form = NewPasswordForm()
    if not form.validate():
        return refused.form_page("forgotten/choose.html", form, token=token)
    try:
        limits.spend("link.address", limits.address())
        flow.finish(db.session, _settings(), token, form.typed("password"))
    except LinkDead:
        return render_template("forgotten/dead.html"), 410
    except Refusal as refusal:
        return refused.form_page("forgotten/choose.html", form, refusal, "password", token=token)
    return redirect(url_for("sign_in.show", changed=1), 303)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
