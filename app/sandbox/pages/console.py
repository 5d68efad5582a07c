"""The operator's console: what happened, and what went out."""

from __future__ import annotations

import json

from flask import Blueprint, abort, current_app, render_template, request

from app.sandbox.core import Sandbox
from app.sandbox.engine.due import run_due
from app.sandbox.webhooks import deliveries
from app.sandbox.webhooks.log import attempts_of, counts, recent

pages = Blueprint("console", __name__)

_SHOWN = 50


@pages.get("/")
def webhooks() -> str:
    """The clock, the delivery mode, and the outbox with its controls."""
    sandbox = _sandbox()
    run_due(sandbox)
    before = request.args.get("before", type=int)
    with sandbox.reading(request.url_root) as tx:
        rows = recent(tx, before=before, limit=_SHOWN + 1)
        return render_template(
            "console/webhooks.html",
            now=tx.now,
            offset=sandbox.clock.offset(),
            mode=deliveries.mode(tx),
            modes=deliveries.MODES,
            rows=rows[:_SHOWN],
            older=rows[_SHOWN - 1].id if len(rows) > _SHOWN else None,
            counts=counts(tx),
            endpoints=tx.every("webhook_endpoint"),
            faults=sandbox.faults,
        )


@pages.get("/payments")
def payments() -> str:
    """Payments, subscriptions, invoices, checkout sessions and customers, newest first."""
    run_due(_sandbox())
    with _sandbox().reading(request.url_root) as tx:
        return render_template(
            "console/payments.html",
            now=tx.now,
            payments=tx.every("payment_intent", limit=_SHOWN),
            disputes=tx.every("dispute", limit=_SHOWN),
            refunds=tx.every("refund", limit=_SHOWN),
            subscriptions=tx.every("subscription", limit=_SHOWN),
            invoices=tx.every("invoice", limit=_SHOWN),
            sessions=tx.every("checkout.session", limit=_SHOWN),
            customers=tx.every("customer", limit=_SHOWN),
        )


@pages.get("/objects/<identifier>")
def show_object(identifier: str) -> str:
    """Any object as JSON; for an event, its deliveries and what came back."""
    with _sandbox().reading(request.url_root) as tx:
        found = tx.find(identifier)
        if found is None:
            abort(404)
        return render_template(
            "console/object.html",
            now=tx.now,
            shown=found,
            text=json.dumps(found, indent=2, ensure_ascii=False),
            attempts=attempts_of(tx, identifier) if found["object"] == "event" else [],
        )


def _sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox
