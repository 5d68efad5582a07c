"""Disputes: a payer's bank asks about a payment, takes it back, and decides."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.config import DAY
from app.sandbox.fault import refused
from app.sandbox.ids import random_text
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit

FEE = 1500  # minor units
_TO_ANSWER = 14 * DAY
LIVE = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")


def begin(tx: Tx, charge: Object, amount: int | None = None, *, inquiry: bool = False) -> Object:
    """The bank asks (no money moves), or takes back an amount in minor units, else all that is left of the payment."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    if charge["status"] != "succeeded" or not left:
        raise refused(f"Charge {charge['id']} holds no money to dispute.", code="charge_not_refundable")
    if charge["disputed"] and any(each["status"] in LIVE for each in tx.every("dispute", charge=charge["id"])):
        raise refused(f"Charge {charge['id']} is disputed already.", code="charge_disputed")
    card = {"brand": "visa", "network": "visa", "network_reason_code": "10.4"}
    made = tx.new(
        "dispute",
        amount=left if amount is None else amount,
        charge=charge["id"],
        currency=charge["currency"],
        payment_intent=charge["payment_intent"],
        is_charge_refundable=inquiry,
        status="warning_needs_response" if inquiry else "needs_response",
        payment_method_details={
            "card": {**card, "case_type": "inquiry" if inquiry else "chargeback"},
            "type": "card",
        },
        evidence_details=_evidence(tx.now + _TO_ANSWER),
    )
    tx.change(charge, disputed=True)
    if not inquiry:
        _move(tx, made, -made["amount"], FEE)
    emit(tx, "charge.dispute.created", made)
    if not inquiry:
        emit(tx, "charge.dispute.funds_withdrawn", made)
    return made


def escalate(tx: Tx, dispute: Object) -> Object:
    """The bank is not content with the answer to its inquiry: now the money is taken."""
    _must(dispute, "warning_needs_response", "warning_under_review")
    _move(tx, dispute, -dispute["amount"], FEE)
    details = {**dispute["payment_method_details"]["card"], "case_type": "chargeback"}
    before = tx.change(
        dispute,
        status="needs_response",
        is_charge_refundable=False,
        payment_method_details={"card": details, "type": "card"},
    )
    emit(tx, "charge.dispute.updated", dispute, before)
    emit(tx, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def answer(tx: Tx, dispute: Object) -> Object:
    """Evidence is sent to the bank."""
    _must(dispute, "warning_needs_response", "needs_response")
    sent = {"has_evidence": True, "submission_count": 1, "submission_method": "manual"}
    before = tx.change(
        dispute,
        status=dispute["status"].replace("needs_response", "under_review"),
        evidence_details={**dispute["evidence_details"], **sent},
    )
    emit(tx, "charge.dispute.updated", dispute, before)
    return dispute


def win(tx: Tx, dispute: Object) -> Object:
    """The bank decides for us: the money is back, the fee is not. Of an inquiry: it asks no more."""
    if dispute["status"].startswith("warning_"):
        return _close(tx, dispute, "warning_closed")
    _must(dispute, "needs_response", "under_review")
    _move(tx, dispute, dispute["amount"], 0)
    before = tx.change(dispute, status="won", is_charge_refundable=True)
    emit(tx, "charge.dispute.funds_reinstated", dispute)
    emit(tx, "charge.dispute.closed", dispute, before)
    return dispute


def lose(tx: Tx, dispute: Object) -> Object:
    """The bank decides for the payer, or we accepted it."""
    _must(dispute, "needs_response", "under_review")
    return _close(tx, dispute, "lost")


def _close(tx: Tx, dispute: Object, status: str) -> Object:
    before = tx.change(dispute, status=status)
    emit(tx, "charge.dispute.closed", dispute, before)
    return dispute


def _must(dispute: Object, *states: str) -> None:
    if dispute["status"] not in states:
        raise refused(f"The dispute {dispute['id']} is {dispute['status'].replace('_', ' ')}.", param="dispute")


def _move(tx: Tx, dispute: Object, amount: int, fee: int) -> None:
    """Money moves between the bank and our balance, with the fee for it."""
    of_fee = {"amount": fee, "application": None, "currency": dispute["currency"], "description": "Dispute fee"}
    moved = {
        "id": f"txn_{random_text(24)}",
        "object": "balance_transaction",
        "amount": amount,
        "available_on": tx.now,
        "balance_type": "payments",
        "created": tx.now,
        "currency": dispute["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [{**of_fee, "type": "stripe_fee"}] if fee else [],
        "net": amount - fee,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "source": dispute["id"],
        "status": "available",
        "type": "adjustment",
    }
    tx.change(dispute, balance_transactions=[*dispute["balance_transactions"], moved])


def _evidence(due_by: int) -> Object:
    return {
        "due_by": due_by,
        "enhanced_eligibility": {},
        "has_evidence": False,
        "past_due": False,
        "submission_count": 0,
        "submission_method": "not_submitted",
    }
