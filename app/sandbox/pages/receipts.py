"""Receipts: the page of a paid invoice and of a charge."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, render_template, request

from app.sandbox.blanks import Object

pages = Blueprint("receipts", __name__)


@pages.get("/i/<invoice_id>")
def invoice(invoice_id: str) -> str:
    """What was bought, in lines."""
    found = _found("invoice", invoice_id)
    return render_template("receipt.html", title=f"Invoice {found['number']}", paid=found, lines=found["lines"]["data"])


@pages.get("/r/<charge_id>")
def charge(charge_id: str) -> str:
    """What was paid."""
    found = _found("charge", charge_id)
    if not found["paid"]:
        abort(404)
    return render_template("receipt.html", title="Receipt", paid={**found, "total": found["amount"]}, lines=[])


def _found(kind: str, identifier: str) -> Object:
    with current_app.extensions["sandbox"].reading(request.url_root) as tx:
        found: Object | None = tx.find(identifier)
    if found is None or found["object"] != kind:
        abort(404)
    return found
