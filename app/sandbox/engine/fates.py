"""What the fate of an invoice does to its subscription: paid, refused, waiting for the bank's question, or voided."""

from __future__ import annotations

from typing import Any

from app.sandbox.blanks import Object
from app.sandbox.engine import bills, collection, endings, standing
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit


def charge(
    tx: Tx, invoice: Object, method: Object | None = None, *, automatic: bool = True, off_session: bool = True
) -> None:
    """Try to pay an invoice, with its usual card if none is given, and let its subscription follow."""
    subscription = bills.subscription_of(tx, invoice)
    usable = method or collection.usual_method(tx, invoice, subscription)
    collection.collect(tx, invoice, usable, automatic=automatic, off_session=off_session)
    follow(tx, invoice)


def follow(tx: Tx, invoice: Object) -> None:
    """Bring the subscription in line with its invoice, however often this is called."""
    subscription = bills.subscription_of(tx, invoice)
    if subscription is None:
        return
    waiting = tx.hidden(subscription["id"]).get("waiting")
    if waiting is not None and waiting["invoice"] == invoice["id"]:
        _follow_waiting(tx, subscription, invoice, waiting)
    elif invoice["status"] == "paid":
        _paid(tx, subscription, invoice)
    elif invoice["status"] == "open" and invoice["attempted"]:
        _unpaid(tx, subscription, invoice)
    elif invoice["status"] == "void":
        _voided(tx, subscription, invoice)


def apply(tx: Tx, subscription: Object, record: Object, **more: Any) -> None:
    """Make a planned change real: items, anchor, what is covered, and the timers of a new period."""
    moves = standing.period_of(subscription) != standing.period_of(record["fields"])
    tx.hide(subscription["id"], cover=record["cover"])
    standing.amend(tx, subscription, **record["fields"], **more)
    if moves:
        standing.watch_period(tx, subscription)


def _follow_waiting(tx: Tx, subscription: Object, invoice: Object, waiting: Object) -> None:
    if invoice["status"] == "paid":
        tx.hide(subscription["id"], waiting=None, pending=[])
        apply(tx, subscription, waiting["record"], pending_update=None)
        emit(tx, "customer.subscription.pending_update_applied", subscription)
    elif invoice["status"] in ("void", "uncollectible"):
        endings.drop_pending(tx, subscription, voids=False)


def _paid(tx: Tx, subscription: Object, invoice: Object) -> None:
    fields: Object = {}
    if subscription["status"] in ("incomplete", "past_due") and standing.owes_nothing(tx, subscription):
        fields["status"] = "active"
    saves = subscription["payment_settings"]["save_default_payment_method"] == "on_subscription"
    if saves and not subscription["default_payment_method"] and invoice["amount_paid"]:
        method = tx.find(collection.intent_of(tx, invoice)["payment_method"])
        fields["default_payment_method"] = method["id"] if method and method["customer"] else None
    standing.amend(tx, subscription, **fields)


def _unpaid(tx: Tx, subscription: Object, invoice: Object) -> None:
    if subscription["status"] in ("active", "trialing"):
        standing.amend(tx, subscription, status="past_due")
    if invoice["next_payment_attempt"]:
        tx.at(invoice["next_payment_attempt"], "retry_payment", invoice["id"])
    elif invoice["auto_advance"] and subscription["status"] == "past_due":
        endings.end(tx, subscription, why="payment_failed")


def _voided(tx: Tx, subscription: Object, invoice: Object) -> None:
    if not standing.is_latest(subscription, invoice):
        return
    if subscription["status"] == "incomplete":
        endings.end(tx, subscription, why="payment_failed", status="incomplete_expired")
    elif subscription["status"] == "past_due":
        standing.amend(tx, subscription, status="active")
