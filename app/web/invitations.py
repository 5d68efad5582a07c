"""The page behind an invitation's link: join as who you are, or make an account and join."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template
from flask.typing import ResponseReturnValue

from app.customers import invitations as offers
from app.customers.invitations import InvitationDead
from app.db import transaction
from app.errors import Conflict, Forbidden, Refusal
from app.extensions import db
from app.flows import invite as flow
from app.http import limits, refused
from app.http.auth import current_session, current_user, start_session
from app.people import sessions
from app.web.person_forms import JoinForm
from app.web.sign_in import begin_session

invitations = Blueprint("invitations", __name__)

TEMPLATE = "invitations/show.html"


@invitations.get("/invitations/<token>")
def show(token: str) -> ResponseReturnValue:
    """What is offered, and by whom. Looking uses nothing up."""
    try:
        offer = offers.look(db.session, token)
    except InvitationDead:
        return _dead()
    return render_template(TEMPLATE, form=JoinForm(formdata=None), offer=offer, token=token, may=flow.MAY)


@invitations.post("/invitations/<token>")
def accept(token: str) -> ResponseReturnValue:
    """Join, and look at the new customer from now on."""
    try:
        if current_user.is_authenticated:
            limits.spend("link.address", limits.address())
            return _join_as_known(token)
        return _join_as_new(token, offers.look(db.session, token))
    except InvitationDead:
        return _dead()


def _join_as_known(token: str) -> ResponseReturnValue:
    who = current_session()
    if who.bound:
        raise Forbidden("Sign out here and sign in to your own account; then follow the invitation again.")
    try:
        accepted = flow.accept(db.session, token, who.id)
    except Conflict as refusal:
        flash(refusal.sentence, "warn")
        return redirect("/", 303)
    with transaction(db.session):
        sessions.choose_customer(db.session, who.token, accepted.customer_id)
    return redirect("/", 303)


def _join_as_new(token: str, offer: offers.Offer) -> ResponseReturnValue:
    form = JoinForm()
    shown: dict[str, Any] = {"offer": offer, "token": token, "may": flow.MAY}
    if not form.validate():
        return refused.form_page(TEMPLATE, form, **shown)
    try:
        limits.spend("link.address", limits.address())
        user, accepted = flow.accept_as_new(db.session, token, name=form.typed("name"), password=form.typed("password"))
    except InvitationDead:
        raise
    except Refusal as refusal:
        return refused.form_page(TEMPLATE, form, refusal, "password", **shown)
    start_session(begin_session(user, customer_id=accepted.customer_id))
    return redirect("/", 303)


def _dead() -> ResponseReturnValue:
    return render_template("invitations/dead.html"), 410
