"""Staff: where the credit movements of all customers were listed before they joined all transactions."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from app.admin.roles import staff_reads

pages = Blueprint("admin_credit_transactions", __name__)


@pages.get("/admin/credit-transactions")
@staff_reads
def index() -> Response:
    """The same movements in the list of all transactions; what was kept of this address still leads there."""
    customer = request.args.get("customer") or None
    return redirect(url_for("admin_transactions.index", account="credits", customer=customer), 303)
