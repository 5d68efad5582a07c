"""What a provider tells about refunds: of ours, of those made on its own pages, of sums so far (SPEC W4, R3).

One of ours is known by our id in it, or by the provider's, or, where the provider keeps neither, because it is the one
that is waited for. Any other was made there: the money is gone, so the books follow, once per refund, whatever is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, ledger
from app.flows import auto_top_up_outcome, disputed, own_loss, refund_outcome, refund_sale, refund_tax, take_bonus_back
from app.flows.news import Effects, News, NotOurs
from app.invoices import Invoice
from app.money import Money
from app.payments import orders, refunds, returned
from app.payments.models import Order, Payment
from app.payments.refund_table import Refund
from app.providers.events import RefundChanged
from app.providers.values import RefundResult
from app.wallet import refunds as books

SUM = "sum:"  # begins the name of a refund that is known from a sum alone
_REASON = "Paid back by the payment provider"


@dataclass(frozen=True, slots=True)
class Of:
    """The payment a refund is of: in our books, or of an invoice that the provider collects by itself."""

    payment: Payment | None
    order: Order | None
    invoice: Invoice | None

    @property
    def customer_id(self) -> str:
        found = self.payment or self.invoice
        assert found is not None
        return found.customer_id


def note(session: Session, told: RefundChanged, news: News) -> Effects:
    """Take it in. Raises NotOurs for a payment that is not known here (yet)."""
    if told.payment_id is None:
        return []
    of = _of(session, told.provider, told.payment_id)
    if told.cumulative is not None:
        return _sum(session, told, of, told.cumulative)
    ours = _ours(session, told, news)
    if ours is None:
        return _made_there(session, told, of, told.amount, name=told.refund_id)
    return _took(session, ours, told)


def _of(session: Session, channel: str, payment_id: str) -> Of:
    known = returned.find(session, channel, payment_id)
    # Locked in this order everywhere: the order, the payment, the refund, the wallet.
    order = orders.find(session, known.order_id, lock=True) if known else None
    payment = returned.locked(session, channel, payment_id)
    # The receipt of a purchase says nothing: its payment is ours to book, and may be a moment away.
    mirrored = select(Invoice).where(
        Invoice.source == channel, Invoice.payment_id == payment_id, Invoice.order_id.is_(None)
    )
    invoice = None if payment else session.scalars(mirrored.limit(1)).first()
    if payment is None and invoice is None:
        # Should it be ours after all, what went back of it is read again once it is known.
        raise NotOurs(f"The payment {payment_id} is not known here: it may be of something else that is sold there.")
    return Of(payment, order, invoice)


def _ours(session: Session, told: RefundChanged, news: News) -> Refund | None:
    """The refund of ours this is about, or one that was told of before; locked."""
    if told.our_refund_id is not None:
        found = refunds.find(session, told.our_refund_id, lock=True)
        is_its = found is not None and (found.channel, found.payment_id) == (told.provider, told.payment_id)
        if found is not None and is_its and not _was_refused(found):
            return found
    found = refunds.by_provider_id(session, told.provider, told.refund_id, lock=True)
    if found is not None or news.names_refunds or told.our_refund_id is not None:
        return found
    before = refunds.of_payment(session, told.provider, told.payment_id or "")
    found = next((each for each in before if _is_waited_for(each, told.amount.minor)), None)
    if found is None:
        found = next((_named(each, told) for each in before if _is_summed(each, told.amount.minor)), None)
    return found or next((_part_of(session, each, told) for each in before if _holds(each, told)), None)


def _was_refused(refund: Refund) -> bool:
    """It was given up as never made. Where there is one after all, its money is gone as with one made there."""
    return refund.state == "failed" and refund.provider_refund_id is None


def _is_waited_for(refund: Refund, amount_minor: int) -> bool:
    """Asked for, answered without a name or not at all, and of this amount."""
    return refund.attempt > 0 and refund.provider_refund_id is None and refund.amount_minor == amount_minor


def _is_summed(refund: Refund, amount_minor: int) -> bool:
    """Known by how much had gone back, before its news came late, and of this amount."""
    return (refund.provider_refund_id or "").startswith(SUM) and refund.amount_minor == amount_minor


def _holds(refund: Refund, told: RefundChanged) -> bool:
    """Known by how much had gone back, when this was among it."""
    is_sum = (refund.provider_refund_id or "").startswith(SUM)
    return is_sum and refund.amount_minor > told.amount.minor and told.occurred_at <= refund.created_at


def _part_of(session: Session, whole: Refund, told: RefundChanged) -> Refund:
    """What was found as one sum were several: this one gets a row of its own, out of that one. No money moves."""
    amount = told.amount.minor
    net = refund_tax.net_of(amount, whole.net_minor, whole.tax_minor)
    same = ("customer_id", "kind", "state", "currency", "reason", "requested_by", "channel", "payment_id", "order_id")
    its = {name: getattr(whole, name) for name in (*same, "invoice_id", "end_entry_id", "credit_note_id", "ended_at")}
    key = f"{told.provider}:{told.refund_id}"
    made, _ = refunds.make(
        session, key=key, net_minor=net, tax_minor=amount - net, provider_refund_id=told.refund_id, **its
    )
    whole.amount_minor -= made.amount_minor
    whole.net_minor -= made.net_minor
    whole.tax_minor -= made.tax_minor
    made.own_loss_minor = max(0, whole.own_loss_minor - whole.net_minor)
    whole.own_loss_minor -= made.own_loss_minor
    session.flush()
    return made


def _named(refund: Refund, told: RefundChanged) -> Refund:
    refund.provider_refund_id = told.refund_id
    return refund


def _took(session: Session, refund: Refund, told: RefundChanged) -> Effects:
    result = RefundResult(told.refund_id, told.status, told.amount, refund.id)
    kind = f"refund.{told.status}"
    if not refund_outcome.take(session, refund, result, actor=told.provider, why=told.failure):
        return [_did("refund.known", refund)]
    return [_did(kind, refund)]


def _sum(session: Session, told: RefundChanged, of: Of, cumulative: int) -> Effects:
    """All that went back of this payment so far: what is new in it is ours as far as ours are waited for."""
    assert told.payment_id is not None
    before = refunds.of_payment(session, told.provider, told.payment_id)
    new = cumulative - sum(each.amount_minor for each in before if each.state == "succeeded")
    effects: Effects = []
    for waiting in (each for each in before if each.state in ("reserved", "sent") and each.attempt):
        if waiting.amount_minor <= new:
            new -= waiting.amount_minor
            refund_outcome.arrive(session, waiting, actor=told.provider)
            effects.append(_did("refund.succeeded", waiting))
    if new > 0:
        name = f"{told.refund_id}:{cumulative}"
        effects += _made_there(session, told, of, Money(new, told.amount.currency), name=name)
    return effects


def _made_there(session: Session, told: RefundChanged, of: Of, amount: Money, *, name: str) -> Effects:
    """Made on the provider's pages: written down once, and out of the books, even if that leaves a hole (R2)."""
    before = _went_before(session, of)
    made, is_new = _row(session, told, of, amount, name)
    if not is_new:
        return [_did("refund.known", made)]
    made.next_try_at = None
    if told.status not in ("failed", "canceled"):
        _take_out(session, made, of, before)
    result = RefundResult(name, told.status, amount)
    refund_outcome.take(session, made, result, actor=told.provider, why=told.failure)
    return [_did("refund.made_at_provider", made)]


def _row(session: Session, told: RefundChanged, of: Of, amount: Money, name: str) -> tuple[Refund, bool]:
    kind = _kind(session, of)
    net = _net(session, of, kind, amount.minor)
    return refunds.make(
        session,
        customer_id=of.customer_id,
        key=f"{told.provider}:{name}",
        kind=kind,
        state="reserved",
        net_minor=net,
        tax_minor=amount.minor - net,
        currency=amount.currency,
        reason=_REASON,
        requested_by=told.provider,
        channel=told.provider,
        payment_id=told.payment_id,
        order_id=of.order.id if of.order else None,
        invoice_id=_invoice_id(of) if kind == "invoice" else None,
        provider_refund_id=name,
    )


def _kind(session: Session, of: Of) -> str:
    """What the payment was for, by what the books say it became."""
    if of.payment is None or of.order is None:
        return "invoice"
    credited = f"topup:{of.payment.channel}:{of.payment.payment_id}"
    return "topup" if ledger.find_entry(session, of.customer_id, credited) else of.order.kind


def _invoice_id(of: Of) -> str | None:
    if of.invoice is not None:
        return of.invoice.id
    return str(of.order.request["invoice"]) if of.order else None


def _net(session: Session, of: Of, kind: str, amount_minor: int) -> int:
    """What of it was not tax: by the payment, or by the invoice that a payment settled as one sum."""
    if kind != "invoice" and of.payment is not None:
        return refund_tax.net_of(amount_minor, of.payment.net_minor, of.payment.tax_minor)
    invoice = session.get(Invoice, (of.customer_id, _invoice_id(of)))
    return refund_tax.net_of(amount_minor, invoice.net_minor, invoice.tax_minor) if invoice else amount_minor


def _went_before(session: Session, of: Of) -> int:
    """What is known to have gone back: a refund of ours that is only being asked for may be refused for this one."""
    if of.payment is None:
        return 0
    name = of.payment.channel, of.payment.payment_id
    sure = (each for each in refunds.of_payment(session, *name) if each.state != "reserved")
    disputed = returned.returned_minor(session, *name).disputed
    return disputed + sum(each.net_minor - each.own_loss_minor for each in sure)


def _take_out(session: Session, made: Refund, of: Of, before: int) -> None:
    """Never twice: what went back beyond the payment, after a dispute, is our own loss."""
    if of.payment is None or of.order is None:
        return  # of an invoice that the provider collects: it is not in our books
    left = max(0, of.payment.net_minor - before)
    beyond = max(0, made.net_minor - left)
    if beyond:
        lost = {"amount_minor": made.amount_minor, "own_loss_minor": beyond, "payment": made.payment_id}
        activity.record(session, "system", "refund.own_loss", made.id, customer_id=made.customer_id, **lost)
    # It was made before the bank took the payment, or the provider would not have: the dispute is what comes too late.
    had = disputed.give_way(session, made, beyond) if made.kind == "topup" else 0
    made.own_loss_minor = beyond - had
    session.flush()
    own_loss.book(session, made)
    if made.kind == "topup":
        take_bonus_back.follow(session, made.channel, made.payment_id, cause=made.id)
    if made.net_minor - made.own_loss_minor > had:
        entry = (
            books.paid_out(session, made, but_minor=had)
            if made.kind == "topup"
            else books.paid_out_of_sale(session, made)
        )
        made.end_entry_id = entry.id
    if made.kind == "topup":
        auto_top_up_outcome.suspend(session, made.customer_id, "refund", key=made.id)
    if made.kind == "pack":
        refund_sale.take_back_credits(session, made, of.order, of.payment, actor=made.requested_by)


def _did(kind: str, refund: Refund) -> dict[str, Any]:
    about = {"refund": refund.id, "customer": refund.customer_id, "payment": refund.payment_id}
    return {"kind": kind, **about, "amount_minor": refund.amount_minor}
