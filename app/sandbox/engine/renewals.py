"""Renewals: what the end of a period brings, and the tries that follow when it is not paid."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.engine import bills, cover, discounts, endings, fates, invoice_lines, phases, standing
from app.sandbox.engine.calendar import period_at
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit


def period_end(tx: Tx, subscription: Object) -> None:
    """The present period is over: end the subscription as announced, or begin the next period and bill it."""
    if subscription["status"] not in standing.LIVE or tx.now < standing.period_of(subscription)[1]:
        return
    endings.drop_pending(tx, subscription)
    if _ends(tx, subscription):
        endings.end(tx, subscription, why="cancellation_requested")
        return
    turn = phases.advance(tx, subscription)
    if turn.ends:
        endings.end(tx, subscription, why="cancellation_requested")
        return
    _renew(tx, subscription, turn.items or standing.items_of(subscription))


def cancel_date(tx: Tx, subscription: Object) -> None:
    """The day somebody chose has come."""
    if subscription["status"] in standing.LIVE and _ends(tx, subscription):
        endings.end(tx, subscription, why="cancellation_requested")


def next_lines(tx: Tx, subscription: Object, items: list[Object], at: int) -> tuple[list[Object], list[Object], int]:
    """The items over the period that begins at an instant, the lines that bill it, and the anchor it counts from."""
    same = standing.recurrence(items) == standing.recurrence(standing.items_of(subscription))
    anchor = subscription["billing_cycle_anchor"] if same else at
    period = period_at(anchor, *standing.recurrence(items), at)
    items = [standing.dated(item, period) for item in items]
    waiting = tx.hidden(subscription["id"])["pending"]
    return items, [*waiting, *(invoice_lines.whole_period(tx, item, *period) for item in items)], anchor


def finalize_invoice(tx: Tx, invoice: Object) -> None:
    """A draft has waited long enough: give it its number and collect it."""
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        tx.change(invoice, automatically_finalizes_at=None)
        bills.finalize(tx, invoice)
        fates.charge(tx, invoice)


def retry_payment(tx: Tx, invoice: Object) -> None:
    """Try again, unless it was paid or stopped meanwhile."""
    due = invoice["next_payment_attempt"]
    if invoice["status"] == "open" and due is not None and due <= tx.now:
        fates.charge(tx, invoice)


def _ends(tx: Tx, subscription: Object) -> bool:
    at = subscription["cancel_at"]
    return bool(subscription["cancel_at_period_end"]) or (at is not None and at <= tx.now)


def _renew(tx: Tx, subscription: Object, items: list[Object]) -> None:
    started, ended = standing.period_of(subscription)
    items, lines, anchor = next_lines(tx, subscription, items, ended)
    held = discounts.current(tx, subscription, ended)
    body = bills.compose(
        tx,
        subscription,
        lines,
        reason="subscription_cycle",
        held=held,
        auto_advance=True,
        period_start=started,
        period_end=ended,
        next_payment_attempt=tx.now + tx.config.draft_for,
    )
    invoice = bills.draft(tx, body)
    tx.hide(subscription["id"], cover=cover.of_lines(lines, tx.now), pending=[])
    standing.amend(
        tx,
        subscription,
        items=standing.as_items(subscription["id"], items),
        billing_cycle_anchor=anchor,
        discounts=discounts.kept_after(tx, held),
        latest_invoice=invoice["id"],
        status="active" if subscription["status"] == "trialing" else subscription["status"],
    )
    standing.watch_period(tx, subscription)
    if tx.config.draft_for:
        when = tx.now + tx.config.draft_for
        tx.change(invoice, automatically_finalizes_at=when)
        tx.at(when, "finalize_invoice", invoice["id"])
    else:
        finalize_invoice(tx, invoice)


def trial_ends(tx: Tx, subscription: Object) -> None:
    """Three days before the first real invoice."""
    if subscription["status"] == "trialing":
        emit(tx, "customer.subscription.trial_will_end", subscription)
