"""The team: who belongs to the customer, what each may do, who is invited."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.customers import invitations, members
from app.db import transaction
from app.entitlements import team as seats
from app.errors import Forbidden, LimitReached, NotFound, Refusal, SubscriptionRestricted
from app.extensions import db
from app.flows import invite as flow
from app.http import hx, limits, refused
from app.http.auth import current_customer_id, current_session, customer_required, sign_in_required
from app.people import sessions, users
from app.web.person_forms import InviteForm, PermissionForm, RemoveForm

team = Blueprint("team", __name__)

ROLES = {"read": "Viewer", "write": "Billing", "owner": "Owner"}
TEMPLATE = "team/show.html"


@team.get("/team")
@customer_required("read")
def show() -> ResponseReturnValue:
    """Everyone on the team may see the team."""
    return render_template(TEMPLATE, form=InviteForm(formdata=None), **_team())


@team.post("/team/invitations")
@customer_required("owner")
def invite() -> ResponseReturnValue:
    """Mail someone an invitation."""
    form, who = InviteForm(), current_session()
    if not form.validate():
        return refused.form_page(TEMPLATE, form, **_team())
    try:
        limits.spend("invitation.customer", current_customer_id())
        by = users.by_id(db.session, who.id)
        assert by is not None, "a session has its user"
        base_url = current_app.extensions["settings"].base_url
        flow.invite(db.session, base_url, current_customer_id(), form.typed("email"), form.typed("permission"), by=by)
    except (LimitReached, SubscriptionRestricted):
        raise  # a page of its own: no other address would do
    except Refusal as refusal:
        return refused.form_page(TEMPLATE, form, refusal, "email", **_team())
    flash(f"We have sent an invitation to {form.typed('email')}.", "pos")
    return redirect(url_for("team.show"), 303)


@team.post("/team/invitations/<invitation_id>/withdraw")
@customer_required("owner")
def withdraw(invitation_id: str) -> ResponseReturnValue:
    """The mailed link stops working."""
    with transaction(db.session):
        invitations.withdraw(db.session, current_customer_id(), invitation_id, actor=current_session().id)
    return _done("The invitation is withdrawn.")


@team.post("/team/members/<user_id>")
@customer_required("owner")
def change(user_id: str) -> ResponseReturnValue:
    """Another role, from the member's next request on."""
    form = PermissionForm()
    if members.permission_of(db.session, current_customer_id(), user_id) is None:
        raise NotFound("There is no such member.")
    if not form.validate():
        return _refused(form.error("permission"))
    try:
        with transaction(db.session):
            member = members.change(
                db.session, current_customer_id(), user_id, form.typed("permission"), actor=current_session().id
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return _refused(refusal.sentence)
    return _done(f"The role is now {ROLES[member.permission]}.")


@team.post("/team/members/<user_id>/remove")
@customer_required("read")
def remove(user_id: str) -> ResponseReturnValue:
    """An owner removes a member; anyone may leave. Their API keys stop, unless the owner keeps them."""
    who = current_session()
    leaving = user_id == who.id
    if not leaving and not members.allows(who.permission, "owner"):
        raise Forbidden("Only an owner of the team may remove people.", needed="owner")
    try:
        with transaction(db.session):
            keep = bool(RemoveForm().keep_keys.data)
            members.remove(db.session, current_customer_id(), user_id, actor=who.id, adopt_keys=keep)
    except NotFound:
        raise
    except Refusal as refusal:
        return _refused(refusal.sentence)
    if leaving:
        return hx.go("/")
    return _done("They are off the team.")


@team.post("/customer")
@sign_in_required
def switch() -> ResponseReturnValue:
    """Look at another of one's customers from now on, in this browser."""
    who, wanted = current_session(), request.form.get("customer_id", "").replace("\0", "")
    if members.permission_of(db.session, wanted, who.id) is None:
        raise NotFound("There is no such customer.")
    with transaction(db.session):
        sessions.choose_customer(db.session, who.token, wanted)
    return hx.go("/")


def _team() -> dict[str, Any]:
    who, customer_id = current_session(), current_customer_id()
    people, invited = members.of_customer(db.session, customer_id), invitations.open_of(db.session, customer_id)
    return {
        "me": who.id,
        "people": people,
        "owners": sum(person.permission == "owner" for person in people),
        "invited": invited,
        "seats": seats.fullness(db.session(), customer_id, len(people) + len(invited)),
        "may_manage": members.allows(who.permission, "owner"),
        "roles": ROLES,
        "may": flow.MAY,
    }


def _done(words: str) -> ResponseReturnValue:
    if hx.is_partial():
        return hx.answer(render_template("team/_members_news.html", words=words, tone="pos", **_team()))
    flash(words, "pos")
    return redirect(url_for("team.show"), 303)


def _refused(sentence: str) -> Response:
    """What was refused is said over the table, which shows what is true."""
    if hx.is_partial():
        return hx.answer(render_template("team/_members_news.html", words=sentence, tone="neg", **_team()), 422)
    shown = render_template(TEMPLATE, form=InviteForm(formdata=None), trouble=sentence, **_team())
    return make_response(shown, 422)
