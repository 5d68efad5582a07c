"""Staff, for admins: who may enter the back office and as what, letting people in and out, and lost phones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import EmailField, StringField
from wtforms.validators import AnyOf, InputRequired

from app import clock
from app.admin.roles import actor, staff_administers
from app.config import Settings
from app.errors import Forbidden, Invalid, Refusal
from app.extensions import db
from app.flows import second_factor as phones
from app.flows import staff as flow
from app.http import csv_file, refused
from app.http.auth import current_session
from app.http.forms import Form
from app.http.proof import recently_proved
from app.people import second_factor, staff, users
from app.people.models import STAFF_ROLES, User

pages = Blueprint("admin_staff", __name__, url_prefix="/admin")

TEMPLATE = "admin/staff/index.html"
MAY = {
    "support": "Support: reads, and looks on as a customer",
    "finance": "Finance: also adjusts, refunds, settles disputes and replays",
    "admin": "Admin: also the catalogue, staff and settings",
}


class HireForm(Form):
    name = StringField("Name", [InputRequired("Enter their name.")], id="name")
    email = EmailField("Email", [InputRequired("Enter their email address.")], id="email")
    role = StringField("Role", [AnyOf(STAFF_ROLES, message="Choose a role.")], default="support", id="role")


@pages.get("/staff")
@staff_administers
def index() -> str:
    """Everybody in the back office: role, second factor, last sign-in."""
    return render_template(TEMPLATE, form=HireForm(formdata=None), **_list())


@pages.get("/staff.csv")
@staff_administers
def index_csv() -> Response:
    """The same as a file."""
    heading = ("id", "name", "email", "role", "second_factor_since", "last_signed_in", "disabled")
    return csv_file.answer(f"staff-{clock.now():%Y-%m-%d}.csv", heading, _csv_rows())


@pages.post("/staff")
@staff_administers
@recently_proved
def hire() -> ResponseReturnValue:
    """Let somebody in; they are mailed the way."""
    form = HireForm()
    if not form.validate():
        return refused.form_page(TEMPLATE, form, **_list())
    me = users.by_id(db.session(), current_session().id)
    assert me is not None, "a session has its user"
    words = {name: form.typed(name) for name in ("name", "email", "role")}
    try:
        user = flow.hire(db.session(), _settings().base_url, **words, by=me)
    except Refusal as refusal:
        return refused.form_page(TEMPLATE, form, refusal, "email", **_list())
    return _back(f"{user.name} is staff now, and has a mail with the way in.")


@pages.post("/staff/<user_id>/role")
@staff_administers
@recently_proved
def change_role(user_id: str) -> ResponseReturnValue:
    """Another role. They are signed out, since what a session may do never changes under it."""
    role = request.form.get("role", "")
    if role not in STAFF_ROLES:
        raise Invalid("Choose one of the roles.", field="role")
    user = flow.change_role(db.session(), user_id, role, actor=actor())
    return _back(f"{user.name} is {role} now, and has to sign in again.")


@pages.post("/staff/<user_id>/end")
@staff_administers
@recently_proved
def end(user_id: str) -> ResponseReturnValue:
    """No longer staff. Their sessions end at once, and the keys for the house they made stop."""
    user = flow.change_role(db.session(), user_id, None, actor=actor())
    return _back(f"{user.name} is no longer staff, and is signed out everywhere.")


@pages.post("/staff/<user_id>/reset-second-factor")
@staff_administers
@recently_proved
def reset_second_factor(user_id: str) -> ResponseReturnValue:
    """For a colleague who lost phone and recovery codes; never one's own, which takes a code."""
    user = flow.one(db.session(), user_id)
    if user.id == current_session().id:
        raise Forbidden("Turn your own second factor off on your profile, with a code.")
    phones.turn_off(db.session(), _settings().base_url, user, actor=actor())
    return _back(f"{user.name} signs in with the password alone until they set up another phone.")


def _back(words: str) -> ResponseReturnValue:
    flash(words, "pos")
    return redirect(url_for(".index"), 303)


def _list() -> dict[str, Any]:
    role = request.args.get("role", "")
    if role and role not in STAFF_ROLES:
        raise Invalid("There is no such role.", field="role")
    people = staff.everyone(db.session(), role or None)
    return {
        "people": people,
        "since": second_factor.since(db.session(), [user.id for user in people]),
        "role": role,
        "roles": [("", "Any"), *((each, each.capitalize()) for each in STAFF_ROLES)],
        "may": MAY,
        "me": current_session().id,
        "is_needed": _settings().staff_needs_code,
        "csv": url_for(".index_csv"),
    }


def _csv_rows() -> Iterator[Sequence[object]]:
    people = staff.everyone(db.session())
    since = second_factor.since(db.session(), [user.id for user in people])
    rows = [_csv_row(user, since.get(user.id)) for user in people]
    db.session.rollback()  # a slow download must not hold a read transaction open
    yield from rows


def _csv_row(user: User, since: datetime | None) -> Sequence[object]:
    times = (clock.timestamp(at) if at else "" for at in (since, user.last_signed_in_at, user.disabled_at))
    return user.id, user.name, user.email, user.staff_role, *times


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
