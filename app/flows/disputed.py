"""What a dispute causes (SPEC W5): the money is taken back at once, the wallet frozen, and restored if it is won.

Nothing here asks what was told before: whatever the phase is now, what belongs to it is made true, each part once. So
the news may come in any order, twice, or before the payment is known, which is then awaited.

Locked in this order: the order, its payment, the subscription, the wallet, the dispute.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, credits, ledger, notices
from app.errors import Conflict
from app.flows import auto_top_up_outcome, buy_pack, charge_card, dunning, own_loss, take_bonus_back
from app.flows.news import Effects, News, NotYet
from app.invoices import Invoice
from app.payments import disputes, orders, refunds, returned
from app.payments.dispute_table import Dispute
from app.payments.disputes import Paid
from app.payments.models import Payment
from app.payments.refund_table import Refund
from app.providers.events import DisputeChanged
from app.wallet import chargebacks, frozen
from app.wallet.accounts import wallet_of

_CLOSED = ("lost", "prevented", "won")


def note(session: Session, told: DisputeChanged, _news: News | None, *, by_staff: bool = False) -> Effects:
    """A dispute was opened, moved or closed. Raises NotYet for a payment that is not known here (yet).

    What staff enter counts only while it is open; then it raises Conflict.
    """
    paid = _paid(session, told)
    if paid.paid_for == "wallet":
        dunning.lock(session, paid.customer_id)
        ledger.lock_account(session, wallet_of(paid.customer_id, paid.currency))
    dispute = disputes.keep(session, told, paid)
    was, is_new = dispute.phase, not dispute.told_as
    if by_staff and not dispute.is_live:
        raise Conflict("This dispute has ended already.", dispute_id=dispute.id)
    if not disputes.move(session, dispute, told):
        return []
    effects: Effects = [_did(f"dispute.{dispute.phase}", dispute, amount_minor=dispute.amount_minor)]
    if is_new or was != dispute.phase:
        facts = {"phase": dispute.phase, "amount_minor": dispute.amount_minor, "payment": dispute.payment_id}
        activity.record(
            session, told.provider, "dispute.moved", dispute.id, customer_id=dispute.customer_id, was=was, **facts
        )
    if dispute.is_taken:
        effects += _take(session, dispute, paid)
    elif dispute.phase in ("prevented", "won"):
        if was == "lost" and _is_booked(dispute):
            chargebacks.open_again(
                session, dispute, kept_minor=dispute.reversed_minor, lost_minor=dispute.own_loss_minor
            )
        effects += _restore(session, dispute)
        if was != dispute.phase:
            cause = f"{dispute.id}:{dispute.phase}"
            take_bonus_back.follow(session, dispute.channel, dispute.payment_id, cause=cause)
    _close(session, dispute)
    if paid.paid_for == "wallet":
        effects += _freeze_or_thaw(session, dispute)
    session.flush()
    return effects


def _paid(session: Session, told: DisputeChanged) -> Paid:
    """The payment, locked with its order, and what it was for."""
    known = session.get(Payment, (told.provider, told.payment_id)) if told.payment_id else None
    if known is not None:
        order = orders.find(session, known.order_id, lock=True)
        payment = returned.locked(session, known.channel, known.payment_id)
        assert order is not None, "orders are never deleted"
        assert payment is not None, "payments are never deleted"
        return _of(payment, _what_for(session, payment, order.kind))
    # A subscription that the provider collects by itself: its payments are known by their invoices. The receipt of a
    # purchase says nothing: its payment is ours to book, and may be a moment away.
    mine = (Invoice.source == told.provider, Invoice.payment_id == told.payment_id, Invoice.order_id.is_(None))
    invoice = session.scalars(select(Invoice).where(*mine).limit(1)).one_or_none() if told.payment_id else None
    if invoice is None:
        raise NotYet(f"The payment {told.payment_id} is not known here.")
    amounts = (invoice.total_minor - invoice.tax_minor, invoice.tax_minor, invoice.currency)
    return Paid(invoice.customer_id, "subscription", *amounts, order_id=invoice.order_id, invoice_id=invoice.id)


def _of(payment: Payment, what_for: str) -> Paid:
    amounts = (payment.net_minor, payment.tax_minor, payment.currency)
    return Paid(payment.customer_id, what_for, *amounts, order_id=payment.order_id)


def _what_for(session: Session, payment: Payment, order_kind: str) -> str:
    """The books know: also a payment of something else may have ended in the wallet."""
    if chargebacks.credited(session, payment.customer_id, payment.channel, payment.payment_id):
        return "wallet"
    return {buy_pack.KIND: "pack", charge_card.KIND: "invoice"}.get(order_kind, "subscription")


def _take(session: Session, dispute: Dispute, paid: Paid) -> Effects:
    """Out of the wallet, or what is unspent of the pack; never more than what is still here of this payment."""
    if dispute.entry_id is not None or dispute.own_loss_minor:
        return []
    if paid.paid_for != "wallet":
        dispute.own_loss_minor = dispute.amount_minor
        return _revoke(session, dispute) if paid.paid_for == "pack" else []
    share = paid.of_wallet(dispute.amount_minor)
    taxes = min(dispute.amount_minor, paid.net_minor + paid.tax_minor) - share
    dispute.reversed_minor = min(share, returned.left_to_return(session, dispute.channel, dispute.payment_id))
    dispute.own_loss_minor = dispute.amount_minor - taxes - dispute.reversed_minor
    dispute.freezes = True
    auto_top_up_outcome.suspend(session, dispute.customer_id, "frozen", key=dispute.id)
    if not dispute.reversed_minor:
        return []
    session.flush()
    take_bonus_back.follow(session, dispute.channel, dispute.payment_id, cause=dispute.id)
    entry = chargebacks.take(session, dispute, dispute.reversed_minor)
    dispute.entry_id = entry.id
    told = {"amount_minor": dispute.amount_minor, "reversed_minor": dispute.reversed_minor}
    notices.tell(
        session, dispute.customer_id, "payment_disputed", key=f"dispute:{dispute.id}", currency=dispute.currency, **told
    )
    return [_did("wallet.charged_back", dispute, entry=entry.id, amount_minor=dispute.reversed_minor)]


def take_again(session: Session, refund: Refund) -> bool:
    """A refund failed that had been before a dispute, and its money is back here: the bank has that money, too.

    Whether it took any. Belongs after the refund's own entry; what it takes comes back if the case is won.
    """
    assert refund.channel is not None, "only what went to a provider can fail"
    assert refund.payment_id is not None
    left = returned.left_to_return(session, refund.channel, refund.payment_id)
    taken = 0
    for dispute in disputes.of_payment(session, refund.channel, refund.payment_id):
        more = min(dispute.own_loss_minor, left - taken)
        if not dispute.is_taken or dispute.paid_for != "wallet" or more <= 0:
            continue
        dispute.reversed_minor += more
        dispute.own_loss_minor -= more
        entry = chargebacks.take(session, dispute, more, after=refund.id)
        dispute.entry_id = dispute.entry_id or entry.id
        if dispute.loss_entry_id is not None:
            chargebacks.close_again(session, dispute, minor=more, after=refund.id)
        taken += more
    session.flush()
    return taken > 0


def give_way(session: Session, refund: Refund, minor: int) -> int:
    """A refund is told of after the dispute that took its money too: the dispute's share becomes our own loss.

    How much of `minor` that is. So both end as if the refund had been told first.
    """
    assert refund.channel is not None, "only a provider makes refunds"
    assert refund.payment_id is not None
    given = 0
    for dispute in disputes.of_payment(session, refund.channel, refund.payment_id):
        part = min(dispute.reversed_minor, minor - given)
        if not dispute.is_taken or dispute.paid_for != "wallet" or part <= 0:
            continue
        is_closed = dispute.loss_entry_id is not None
        entry = chargebacks.leave_for_refund(session, dispute, minor=part, is_closed=is_closed, after=refund.id)
        refund.end_entry_id = entry.id if entry else None
        dispute.reversed_minor -= part
        dispute.own_loss_minor += part
        given += part
    session.flush()
    return given


def has_it(session: Session, refund: Refund, *, credits_back: int = 0) -> bool:
    """Whether the bank has the payment of a sale, so that a refund that failed leaves the customer nothing to be given.

    `credits_back`: a pack's credits that the refund took, and that come back only if the case is won.
    """
    if refund.channel is None or refund.payment_id is None:
        return False
    live = [each for each in disputes.of_payment(session, refund.channel, refund.payment_id) if each.is_taken]
    if live:
        live[0].revoked_credits += credits_back
        session.flush()
    return bool(live)


def _revoke(session: Session, dispute: Dispute) -> Effects:
    """What is left of the credits that this payment bought."""
    bought = credits.find_grant(session, dispute.customer_id, f"pack:{dispute.channel}:{dispute.payment_id}")
    if bought is None:
        return []
    dispute.revoked_credits = credits.revoke(
        session, dispute.customer_id, bought.id,
        key=f"dispute:{dispute.id}", reason="The payment was disputed with the bank.", actor=dispute.channel,
    )  # fmt: skip
    return [_did("credits.revoked", dispute, credits=dispute.revoked_credits)]


def _restore(session: Session, dispute: Dispute) -> Effects:
    """The money is back, or was never taken: exactly what this dispute took is given back, once."""
    if dispute.restored_entry_id is not None:
        return []
    if dispute.revoked_credits:
        again = credits.grant(
            session, dispute.customer_id, dispute.revoked_credits,
            source="adjustment", key=f"dispute_won:{dispute.id}", actor=dispute.channel,
            data={"description": "The dispute was won", "dispute": dispute.id},
        )  # fmt: skip
        dispute.restored_entry_id = again.entry_id
        return [_did("credits.granted", dispute, credits=dispute.revoked_credits)]
    taken = ledger.entry(session, dispute.customer_id, dispute.entry_id) if dispute.entry_id else None
    if taken is None:
        return []
    gone = _refunded_meanwhile(session, dispute)
    entry = chargebacks.restore(session, dispute, taken, but_minor=gone)
    if entry is None:
        return []
    dispute.restored_entry_id = entry.id
    back = dispute.reversed_minor - gone
    told: dict[str, Any] = {"reversed_minor": back, "currency": dispute.currency}
    notices.tell(session, dispute.customer_id, "dispute_won", key=f"dispute:{dispute.id}:won", **told)
    return [_did("wallet.restored", dispute, entry=entry.id, amount_minor=back)]


def _refunded_meanwhile(session: Session, dispute: Dispute) -> int:
    """What refunds gave back while the dispute had taken it all, and so was our own loss: now it is the wallet's."""
    name = dispute.channel, dispute.payment_id
    left = min(dispute.reversed_minor, returned.left_to_return(session, *name))
    gone = 0
    for refund in refunds.of_payment(session, *name):
        part = min(refund.own_loss_minor, left - gone)
        if part > 0:
            own_loss.end(session, refund, minor=part, after=dispute.id)
            refund.own_loss_minor -= part
            # What the dispute took is what this refund gave: should it fail, there is something to put back.
            refund.end_entry_id = refund.end_entry_id or dispute.entry_id
            gone += part
    session.flush()
    return gone


def _close(session: Session, dispute: Dispute) -> None:
    """The provider's last word: what stays lost, and its fee, leave our books. A fee that changes later does, too."""
    if dispute.phase not in _CLOSED:
        return
    if dispute.loss_entry_id is not None:
        chargebacks.book_fee_again(session, dispute, before_minor=dispute.booked_fee_minor)
        dispute.booked_fee_minor = dispute.fee_minor
        return
    lost = dispute.phase == "lost" and _is_booked(dispute)
    kept, own = (dispute.reversed_minor, dispute.own_loss_minor) if lost else (0, 0)
    entry = chargebacks.close(session, dispute, kept_minor=kept, lost_minor=own + dispute.fee_minor)
    dispute.loss_entry_id, dispute.booked_fee_minor = (entry.id if entry else None), dispute.fee_minor


def _is_booked(dispute: Dispute) -> bool:
    """A subscription that the provider collects is not in our cash, so neither is what it takes back of it."""
    return dispute.paid_for != "subscription"


def _freeze_or_thaw(session: Session, dispute: Dispute) -> Effects:
    before = ledger.balance(session, wallet_of(dispute.customer_id, dispute.currency)).frozen
    after = frozen.decide(session, dispute.customer_id, dispute.currency, actor=dispute.channel)
    if before is after:
        return []
    if not after:
        dunning.wallet_filled(session, dispute.customer_id)
    return [_did("wallet.frozen" if after else "wallet.thawed", dispute)]


def _did(kind: str, dispute: Dispute, **details: Any) -> dict[str, Any]:
    return {"kind": kind, "dispute": dispute.id, "customer": dispute.customer_id, **details}
