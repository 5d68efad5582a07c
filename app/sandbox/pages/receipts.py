"""Receipts: the page of a charge."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, render_template, request

pages = Blueprint("receipts", __name__)


@pages.get("/r/<charge_id>")
def charge(charge_id: str) -> str:
    """What was paid."""
    with current_app.extensions["sandbox"].reading(request.url_root) as tx:
        found = tx.find(charge_id)
    if found is None or found["object"] != "charge" or not found["paid"]:
        abort(404)
    return render_template("receipt.html", paid=found)
