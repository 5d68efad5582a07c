"""What comes of a refund: on its way, arrived, failed. Told by the provider's answer or its event, whichever is first.

Each belongs in the transaction that learnt of it, with the payment and the refund locked. Whoever comes second changes
nothing, and a failure that is told after the success still counts.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import credits, invoices, ledger, notices
from app.credits.accounts import credits_of
from app.flows import disputed, own_loss, take_bonus_back
from app.invoices import CreditNote, Invoice
from app.invoices.credit import left_to_credit
from app.invoices.models import OURS
from app.payments import refunds
from app.payments.refund_table import Refund
from app.providers.values import RefundResult
from app.wallet import frozen
from app.wallet import refunds as books

_OF_SALES = ("pack", "invoice")
_FAILED = "The bank could not take it."
_TAKEN = "Your bank has the payment, which was disputed."
_BACK_ALREADY = "The payment provider has paid it back to you in another way."


def take(session: Session, refund: Refund, result: RefundResult, *, actor: str, why: str | None = None) -> bool:
    """What the provider says about it now; whether that was news. `why` it failed, in words for the customer."""
    if refund.provider_refund_id is None and result.refund_id is not None:
        refund.provider_refund_id = result.refund_id
    _note_behind(session, refund, result)
    if result.status in ("failed", "canceled"):
        return fail(session, refund, why or _FAILED, actor=actor)
    if result.status == "succeeded":
        return arrive(session, refund, actor=actor)
    return send(session, refund, actor=actor)


def send(session: Session, refund: Refund, *, actor: str) -> bool:
    """The provider has taken it."""
    if not refunds.move(session, refund, "sent", actor=actor):
        return False
    refunds.later(session, refund)  # asked about, should nobody tell
    _tell_made(session, refund)
    sum_up(session, refund)
    return True


def arrive(session: Session, refund: Refund, *, actor: str) -> bool:
    """It is paid: the books say so, and an invoice of ours gets its credit note (SPEC I3)."""
    if not refunds.move(session, refund, "succeeded", actor=actor):
        return False
    if refund.entry_id is not None:  # what the provider paid by itself never waited in the books
        refund.end_entry_id = books.arrived(session, refund, of_sale=refund.kind in _OF_SALES).id
    _credit_ours(session, refund, actor)
    _tell_made(session, refund)
    sum_up(session, refund)
    return True


def fail(session: Session, refund: Refund, why: str, *, actor: str) -> bool:
    """It did not arrive: what was set aside goes back where it came from, and the customer is told."""
    was = refund.state
    if not refunds.move(session, refund, "failed", actor=actor, why=why):
        return False
    then = ""
    own_loss.end(session, refund, minor=refund.own_loss_minor, after="failed")
    if refund.entry_id or refund.end_entry_id:
        was_paid = was == "succeeded" or refund.entry_id is None
        then = _put_back(session, refund, was_paid=was_paid, actor=actor)
    facts: dict[str, Any] = {"amount_minor": refund.amount_minor, "currency": refund.currency, "why": why, "then": then}
    notices.tell(session, refund.customer_id, "refund_failed", key=f"refund:{refund.id}:failed", **facts)
    sum_up(session, refund)
    return True


def _put_back(session: Session, refund: Refund, *, was_paid: bool, actor: str) -> str:
    if refund.kind not in _OF_SALES:
        refund.end_entry_id = books.restore(session, refund, was_paid=was_paid).id
        session.flush()
        again = own_loss.take_over(session, refund)
        taken = disputed.take_again(session, refund)
        cause = f"{refund.id}:failed"
        take_bonus_back.follow(session, refund.channel, refund.payment_id, cause=cause)
        frozen.filled(session, refund.customer_id, refund.currency)
        return _TAKEN if taken else _BACK_ALREADY if again else "The money is back in your wallet."
    if own_loss.covers(session, refund):  # the credits stay away for the other
        refund.end_entry_id = books.restore_sale(session, refund, was_paid=was_paid).id
        own_loss.take_over(session, refund, of_sale=True)
        return _BACK_ALREADY
    if disputed.has_it(session, refund, credits_back=_revoked(session, refund)):
        refund.end_entry_id = books.restore_sale(session, refund, was_paid=was_paid).id
        return _TAKEN
    if was_paid:  # its credit note stands, or its credits are gone: the money is the customer's
        refund.end_entry_id = books.owe_instead(session, refund).id
        frozen.filled(session, refund.customer_id, refund.currency)
        return "The money is in your wallet instead."
    refund.end_entry_id = books.restore_sale(session, refund).id
    credits.give_back_revoked(session, refund.customer_id, key=revoking(refund), reason="Refund failed", actor=actor)
    return ""


def _revoked(session: Session, refund: Refund) -> int:
    """How many credits of a pack this refund took back."""
    entry = ledger.find_entry(session, refund.customer_id, revoking(refund))
    return -entry.leg(credits_of(refund.customer_id)).amount if entry is not None else 0


def revoking(refund: Refund) -> str:
    """The key under which a pack's credits were taken back for this refund."""
    return f"refund:{refund.id}:credits"


def sum_up(session: Session, refund: Refund) -> None:
    """The request this was part of is done once all its parts are."""
    if refund.parent_id is None:
        return
    request = refunds.one(session, refund.customer_id, refund.parent_id, lock=True)
    its = select(Refund.state).where(Refund.customer_id == refund.customer_id, Refund.parent_id == request.id)
    states = set(session.scalars(its))
    if states <= {"succeeded", "failed"}:
        refunds.move(session, request, "succeeded" if "succeeded" in states else "failed")
    elif "reserved" not in states:
        refunds.move(session, request, "sent")


def _credit_ours(session: Session, refund: Refund, actor: str) -> None:
    invoice = session.get(Invoice, (refund.customer_id, refund.invoice_id)) if refund.invoice_id else None
    if invoice is None or invoice.source != OURS:
        return
    net = min(refund.net_minor, left_to_credit(session, invoice))
    if not net:
        return
    note = invoices.credit(
        session,
        invoice,
        net_minor=net,
        reason=refund.reason,
        returned_to="payment_method",
        key=f"refund:{refund.id}",
        actor=refund.decided_by or actor,
    )
    refund.credit_note_id = note.id


def _note_behind(session: Session, refund: Refund, result: RefundResult) -> None:
    """The provider's own credit note for it, as far as it is mirrored."""
    if result.credit_note_id is None or refund.credit_note_id is not None:
        return
    its = (CreditNote.customer_id == refund.customer_id, CreditNote.provider_id == result.credit_note_id)
    refund.credit_note_id = session.scalars(select(CreditNote.id).where(*its).limit(1)).first()


def _tell_made(session: Session, refund: Refund) -> None:
    facts: dict[str, Any] = {"amount_minor": refund.amount_minor, "currency": refund.currency}
    notices.tell(session, refund.customer_id, "refund_made", key=f"refund:{refund.id}:made", **facts)
