"""Staff: signing in as a customer, to read what they read. Nothing can be changed meanwhile (`app.http.looking`)."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for

from app.admin.customers import load
from app.admin.roles import staff_reads
from app.db import transaction
from app.extensions import db
from app.http import hx
from app.http.auth import current_session
from app.people import looking

pages = Blueprint("admin_looking", __name__)


@pages.post("/admin/customers/<customer_id>/sign-in-as")
@staff_reads
def start(customer_id: str) -> Response:
    """Look on as this customer for 30 minutes, in this browser. The customer's audit log says so."""
    customer, who = load(customer_id), current_session()
    with transaction(db.session()):
        looking.start(db.session(), who.token, who.id, customer.id, reason=request.form.get("reason", ""))
    return hx.go("/")


@pages.post("/admin/looking/stop")
@staff_reads
def stop() -> Response:
    """Be oneself again. Pressed twice it does nothing more."""
    who = current_session()
    with transaction(db.session()):
        viewed = looking.stop(db.session(), who.token, who.id)
    if viewed is None:
        return hx.go("/admin")
    flash("You are yourself again.", "pos")
    return hx.go(url_for("admin_customers.show", customer_id=viewed))
