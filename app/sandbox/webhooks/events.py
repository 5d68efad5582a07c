"""Events: a snapshot of an object at the moment something happened to it, queued for every endpoint that asked."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.spec import pinned
from app.sandbox.tx import Tx
from app.sandbox.webhooks import deliveries


def emit(tx: Tx, kind: str, subject: Object, previous: Object | None = None) -> Object:
    """Record that this happened, and queue its delivery in the same transaction, so that neither exists alone."""
    data: Object = {"object": subject}
    if previous is not None:
        data["previous_attributes"] = previous
    endpoints = [each for each in tx.every("webhook_endpoint", status="enabled") if _asked_for(each, kind)]
    request = {"id": tx.cause.request_id, "idempotency_key": tx.cause.idempotency_key}
    event = tx.new("event", type=kind, data=data, pending_webhooks=len(endpoints), request=request)
    if tx.config.checks_events:
        tx.faults += [f"event {kind}: {fault}" for fault in pinned().event(event)]
    for endpoint in endpoints:
        deliveries.queue(tx, event["id"], endpoint["id"])
    return event


def _asked_for(endpoint: Object, kind: str) -> bool:
    return "*" in endpoint["enabled_events"] or kind in endpoint["enabled_events"]
