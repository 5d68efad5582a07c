"""Refunds: money back to the method it came from."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.fault import refused
from app.sandbox.tx import Tx
from app.sandbox.webhooks.events import emit


def refund(
    tx: Tx, charge: Object, amount: int | None, *, reason: str | None = None, metadata: Object | None = None
) -> Object:
    """Give back an amount in minor units, or all that is left. Raises a Fault for more than is left."""
    if charge["status"] != "succeeded":
        raise refused(
            f"Charge {charge['id']} has not been paid, so it cannot be refunded.", code="charge_not_refundable"
        )
    if charge["disputed"] and any(
        not each["is_charge_refundable"] for each in tx.every("dispute", charge=charge["id"])
    ):
        raise refused(f"Charge {charge['id']} has been charged back, so it cannot be refunded.", code="charge_disputed")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise refused(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    wanted = left if amount is None else amount
    if wanted <= 0:
        raise refused("Refund amount must be positive.", code="parameter_invalid_integer", param="amount")
    if wanted > left:
        words = f"Refund amount ({_dollars(wanted)}) is greater than unrefunded amount on charge ({_dollars(left)})"
        raise refused(words, code="amount_too_large", param="amount")
    made = tx.new(
        "refund",
        amount=wanted,
        charge=charge["id"],
        currency=charge["currency"],
        customer=charge["customer"],
        destination_details=_destination(charge),
        metadata=metadata or {},
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=reason,
        status="succeeded",
    )
    given_back = charge["amount_refunded"] + wanted
    before = tx.change(charge, amount_refunded=given_back, refunded=given_back == charge["amount_captured"])
    emit(tx, "refund.created", made)
    emit(tx, "charge.refunded", charge, before)
    return made


def fail(tx: Tx, refund: Object) -> Object:
    """The bank sends it back, days later: the money is with the merchant again. Raises a Fault for one that failed."""
    if refund["status"] != "succeeded":
        raise refused(f"Refund {refund['id']} is {refund['status']}, so it cannot fail.")
    charge = tx.get("charge", refund["charge"])
    before = tx.change(charge, amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
    was = tx.change(refund, status="failed", failure_reason="expired_or_canceled_card")
    emit(tx, "refund.failed", refund)
    emit(tx, "refund.updated", refund, was)
    emit(tx, "charge.refund.updated", refund, was)
    emit(tx, "charge.updated", charge, before)
    return refund


def _destination(charge: Object) -> Object:
    if charge["payment_method_details"]["type"] != "card":
        return {"type": "us_bank_transfer", "us_bank_transfer": {"reference": None, "reference_status": "pending"}}
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    return {"card": card, "type": "card"}


def _dollars(amount: int) -> str:
    return f"${amount // 100}.{amount % 100:02d}"
