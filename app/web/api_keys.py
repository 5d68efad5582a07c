"""The keys of the customer's programs: made here, shown once, revoked here."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.customers import api_keys as keys
from app.customers import members
from app.db import transaction
from app.entitlements import plan_now, production
from app.errors import LimitReached, Refusal, SubscriptionRestricted
from app.extensions import db
from app.http import limits, refused
from app.http.auth import current_customer_id, current_session, customer_required
from app.http.proof import recently_proved
from app.web.person_forms import ApiKeyForm

api_keys = Blueprint("api_keys", __name__)

TEMPLATE = "api_keys/show.html"
CAN = {"billing:read": "Read balances and transactions", "billing:write": "Start top-ups"}


@api_keys.get("/api-keys")
@customer_required("read")
def show() -> ResponseReturnValue:
    """The list. No key can be read here again."""
    return render_template(TEMPLATE, form=_blank(), secret=None, **_keys())


@api_keys.post("/api-keys")
@customer_required("write")
@recently_proved
def create() -> ResponseReturnValue:
    """Make a key and show it, this once: it stands in this answer and nowhere else."""
    form, who = ApiKeyForm(), current_session()
    if not form.validate():
        return refused.form_page(TEMPLATE, form, secret=None, **_keys())
    try:
        limits.spend("api-key.customer", current_customer_id())
        with transaction(db.session):
            key, secret = production.create_customer_key(
                db.session(),
                current_customer_id(),
                name=form.typed("name"),
                permissions=form.permissions.data or [],
                environment=form.typed("environment"),
                made_by=who.id,
            )
    except (LimitReached, SubscriptionRestricted):
        raise  # a page of its own, with the plan that has live keys
    except Refusal as refusal:
        return refused.form_page(TEMPLATE, form, refusal, "name", secret=None, **_keys())
    return render_template(TEMPLATE, form=_blank(), secret=secret, made=key, **_keys()), 201


@api_keys.post("/api-keys/<key_id>/revoke")
@customer_required("write")
def revoke(key_id: str) -> ResponseReturnValue:
    """Calls with this key fail from now on."""
    with transaction(db.session):
        key = keys.revoke(db.session, current_customer_id(), key_id, actor=current_session().id)
    flash(f"{key.name} is revoked.", "pos")
    return redirect(url_for("api_keys.show"), 303)


def _blank() -> ApiKeyForm:
    return ApiKeyForm(formdata=None)


def _keys() -> dict[str, Any]:
    refusal = production.refusal(plan_now.of(db.session(), current_customer_id()))
    return {
        "keys": keys.of_customer(db.session, current_customer_id()),
        "can": CAN,
        "only_test": refusal,  # why a live key would be refused, or None
        "may_write": members.allows(current_session().permission, "write"),
        "may_make": not current_session().bound,  # a key would outlive a session that nobody proved to be theirs
    }
