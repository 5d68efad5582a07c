"""The end of a subscription: at once, at the end of its period, or because it was never paid."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.engine import bills, collection, plans, standing
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit


def end(tx: Tx, subscription: Object, *, why: str, status: str = "canceled", asked: Object | None = None) -> None:
    """End it now. `why` is Stripe's `cancellation_details.reason`; money is nobody's business here."""
    drop_pending(tx, subscription)
    release_schedule(tx, subscription)
    standing.stop_all_collecting(tx, subscription)
    details = {**subscription["cancellation_details"], **(asked or {})}
    tx.change(
        subscription,
        status=status,
        ended_at=tx.now,
        canceled_at=subscription["canceled_at"] or tx.now,
        cancellation_details={**details, "reason": details["reason"] or why},
    )
    emit(tx, "customer.subscription.deleted" if status == "canceled" else "customer.subscription.updated", subscription)


def settle_unused(tx: Tx, subscription: Object, *, prorate: bool, invoice_now: bool) -> None:
    """Bill what is pending and, if asked to, credit what will not be used: the credit goes to the customer's balance.

    Without an invoice the credits are lost with the subscription, as its pending items are.
    """
    lines = tx.hidden(subscription["id"])["pending"]
    if prorate:
        lines = [*lines, *plans.end_now(tx, subscription, tx.now)]
    if not invoice_now or not lines:
        return
    body = bills.compose(tx, subscription, lines, reason="subscription_update", held=[], proration_date=tx.now)
    invoice = bills.draft(tx, body)
    bills.finalize(tx, invoice)
    tx.hide(subscription["id"], pending=[], cover={})
    tx.change(subscription, latest_invoice=invoice["id"])
    collection.collect(tx, invoice, collection.usual_method(tx, invoice, subscription), automatic=False)


def drop_pending(tx: Tx, subscription: Object, *, voids: bool = True) -> None:
    """A change that waits for its payment will not come: its invoice is voided, and the plan stays as it is."""
    waiting = tx.hidden(subscription["id"]).get("waiting")
    if waiting is None:
        return
    tx.hide(subscription["id"], waiting=None)
    invoice = tx.get("invoice", waiting["invoice"])
    if voids and invoice["status"] == "open":
        bills.void(tx, invoice)
    tx.change(subscription, pending_update=None, latest_invoice=waiting["before"])
    emit(tx, "customer.subscription.pending_update_expired", subscription)


def release_schedule(tx: Tx, subscription: Object) -> None:
    """Its schedule, if it has one, ends with it."""
    schedule = tx.find(subscription["schedule"])
    if schedule is None:
        return
    tx.change(schedule, status="canceled", canceled_at=tx.now, current_phase=None)
    tx.change(subscription, schedule=None)
    emit(tx, "subscription_schedule.canceled", schedule)
