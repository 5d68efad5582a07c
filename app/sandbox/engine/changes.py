"""Changes of a subscription's items carried out: billed now or later, at once or when they are paid."""

from __future__ import annotations

from typing import Any

from app.sandbox.blanks import Object
from app.sandbox.engine import bills, collection, discounts, endings, fates, standing
from app.sandbox.engine.plans import Plan
from app.sandbox.engine.subscriptions import FIRST_PAYMENT
from app.sandbox.tx import Tx

PENDING, ERROR, LATER = "pending_if_incomplete", "error_if_incomplete", "default_incomplete"


def carry_out(tx: Tx, subscription: Object, plan: Plan, *, payment: str = "allow_incomplete", **more: Any) -> None:
    """Make a plan real. `payment` is Stripe's payment_behavior; `more` are other fields that change with it.

    Raises a Fault that keeps nothing when the payment fails and `payment` asks for an error.
    """
    endings.drop_pending(tx, subscription)
    if not plan.bills_now:
        tx.hide(subscription["id"], pending=[*tx.hidden(subscription["id"])["pending"], *plan.lines])
        fates.apply(tx, subscription, plan.record([]), **more)
        return
    invoice, record = _billed(tx, subscription, plan, auto_advance=payment != PENDING)
    if payment == PENDING and invoice["amount_due"]:
        _when_paid(tx, subscription, invoice, record, **more)
        return
    tx.hide(subscription["id"], pending=[])
    fates.apply(tx, subscription, record, latest_invoice=invoice["id"], **more)
    if payment == LATER and invoice["amount_due"]:
        standing.amend(tx, subscription, status="past_due")
        return
    fates.charge(tx, invoice)
    if invoice["status"] == "open" and payment == ERROR:
        raise collection.refusal(tx, invoice, keeps=False)


def pending_update_over(tx: Tx, subscription: Object) -> None:
    """Nobody paid for the change in time."""
    pending = subscription["pending_update"]
    if pending is not None and pending["expires_at"] <= tx.now:
        endings.drop_pending(tx, subscription)


def composed(tx: Tx, subscription: Object, plan: Plan, **fields: Any) -> Object:
    """The invoice that a plan would bring at once, with what was pending before. Kept nowhere."""
    lines = [*tx.hidden(subscription["id"])["pending"], *plan.lines]
    whole = any(line["discountable"] for line in lines)
    held = discounts.current(tx, subscription, plan.at) if whole else []
    return bills.compose(
        tx, subscription, lines, reason="subscription_update", held=held, proration_date=plan.at, **fields
    )


def _billed(tx: Tx, subscription: Object, plan: Plan, *, auto_advance: bool) -> tuple[Object, Object]:
    """The finalized invoice, and the record of the plan that knows its lines."""
    body = composed(tx, subscription, plan, auto_advance=auto_advance)
    invoice = bills.draft(tx, body)
    bills.finalize(tx, invoice)
    record = plan.record(body["lines"]["data"])
    held = [tx.get("discount", each) for each in body["discounts"]]
    if held:
        record["fields"]["discounts"] = discounts.kept_after(tx, held)
    return invoice, record


def _when_paid(tx: Tx, subscription: Object, invoice: Object, record: Object, **more: Any) -> None:
    """Try to pay; if that fails the old plan stays, and the change waits for its invoice to be paid."""
    known = collection.usual_method(tx, invoice, subscription)
    collection.collect(tx, invoice, known)
    if invoice["status"] == "paid":
        tx.hide(subscription["id"], pending=[])
        fates.apply(tx, subscription, record, latest_invoice=invoice["id"], **more)
        return
    over = min(tx.now + FIRST_PAYMENT, standing.period_of(subscription)[1])
    before = subscription["latest_invoice"]
    tx.hide(subscription["id"], waiting={"invoice": invoice["id"], "record": record, "before": before})
    update = {
        "billing_cycle_anchor": None,
        "cancel_at_period_end": None,
        "discount": None,
        "discounts": None,
        "expires_at": over,
        "metadata": None,
        "subscription_items": record["fields"]["items"]["data"],
        "trial_end": None,
        "trial_from_plan": None,
        **more,
    }
    standing.amend(tx, subscription, pending_update=update, latest_invoice=invoice["id"])
    tx.at(over, "pending_update_over", subscription["id"])
