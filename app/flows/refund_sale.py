"""Paying back what was sold and not a top-up: a pack, an invoice. Staff do, in whole or in part (SPEC W4, I3).

A pack's unspent credits are taken back with it. What the wallet paid goes back to the wallet at once, with our credit
note; what a card paid goes back to the card, through its provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import credits, invoices, ledger
from app.db import transaction
from app.errors import Conflict, NotFound, UnsupportedByChannel
from app.flows import refund, refund_outcome
from app.flows.refund import Providers
from app.flows.refund_tax import share, share_of_tax
from app.invoices import CreditNote, Invoice
from app.invoices.credit import left_to_credit, tax_on
from app.invoices.models import OURS
from app.payments import disputes, orders, refunds, returned
from app.payments.models import Order, Payment
from app.payments.refund_table import TAKEN, Refund
from app.payments.refunds import MoreThanRefundable, NothingToRefund, NotRefundable, PaymentDisputed
from app.providers.values import Cap
from app.wallet import refunds as books
from app.wallet.return_unused import return_unused


@dataclass(frozen=True, slots=True)
class Wish:
    """What staff want. `net_minor` (before tax) None is all that is left."""

    key: str
    actor: str
    reason: str
    net_minor: int | None = None


def of_pack(session: Session, providers: Providers, order_id: str, wish: Wish) -> Refund:
    """Pay back a pack, and take back as much of its credits as nobody has spent.

    Raises NotFound, NotRefundable, NothingToRefund, MoreThanRefundable, PaymentDisputed, UnsupportedByChannel.
    """
    with transaction(session):
        order, payment = _bought(session, order_id)
        before = refunds.of_key(session, order.customer_id, wish.key)
        if before is not None:
            return refunds.same(before, kind="pack", payment_id=payment.payment_id)
        net = _wanted(wish, returned_left(session, payment))
        refund_id = _reserve_pack(session, providers, order, payment, net, wish)
    refund.carry_out(session, providers, [refund_id])
    with transaction(session):
        return refunds.one(session, order.customer_id, refund_id)


def of_invoice(session: Session, providers: Providers, customer_id: str, invoice_id: str, wish: Wish) -> Refund:
    """Pay back an invoice to where it was paid from. Raises as `of_pack`, and Conflict while another is under way."""
    with transaction(session):
        invoice = session.get(Invoice, (customer_id, invoice_id), with_for_update=True, populate_existing=True)
        if invoice is None or invoice.status == "draft":
            raise NotFound("There is no such invoice.")
        before = refunds.of_key(session, customer_id, wish.key)
        if before is not None:
            return refunds.same(before, kind="invoice", invoice_id=invoice_id)
        made = _reserve_invoice(session, providers, invoice, wish)
        refund_id = made.id
    refund.carry_out(session, providers, [refund_id])  # nothing to do for what went to the wallet
    with transaction(session):
        return refunds.one(session, customer_id, refund_id)


def left_of_invoice(session: Session, invoice: Invoice) -> int:
    """What of an invoice can go back, in minor units before tax; 0 unless it is paid."""
    if invoice.status != "paid":
        return 0
    if invoice.source == OURS:
        return left_to_credit(session, invoice)
    sent = sum(refund.net_minor for refund in _of_invoice(session, invoice))
    return max(0, invoice.net_minor - max(_credited(session, invoice)[0], sent))


def returned_left(session: Session, payment: Payment) -> int:
    """What of a payment has not gone back, in minor units before tax."""
    return payment.net_minor - returned.returned_minor(session, payment.channel, payment.payment_id).total


def _bought(session: Session, order_id: str) -> tuple[Order, Payment]:
    order = orders.find(session, order_id, lock=True)
    if order is None:
        raise NotFound("There is no such order.")
    payment = returned.locked(session, order.channel, order.payment_id or "")
    if order.kind != "pack" or order.state != "paid" or payment is None:
        raise NotRefundable("Only a pack that was paid can be refunded here.", type=order.kind)
    return order, payment


def _reserve_pack(session: Session, providers: Providers, order: Order, payment: Payment, net: int, wish: Wish) -> str:
    _refuse(session, providers, payment.channel, payment.payment_id, whole=net == payment.net_minor)
    tax_minor = share_of_tax(session, payment, net)
    made = _row(
        session,
        wish,
        customer_id=order.customer_id,
        kind="pack",
        net_minor=net,
        tax_minor=tax_minor,
        currency=payment.currency,
        channel=payment.channel,
        payment_id=payment.payment_id,
        order_id=order.id,
    )
    made.entry_id = books.set_aside_of_sale(session, made).id
    take_back_credits(session, made, order, payment, actor=wish.actor)
    session.flush()
    return made.id


def take_back_credits(session: Session, made: Refund, order: Order, payment: Payment, *, actor: str) -> int:
    """As much of a pack's credits as went back of its price, and as nobody has spent; how many."""
    grant = credits.find_grant(session, order.customer_id, f"pack:{payment.channel}:{payment.payment_id}")
    if grant is None:
        return 0
    back = returned.returned_minor(session, payment.channel, payment.payment_id).total
    # What was taken before counts as it was meant to be, so several parts come to the same as the whole at once.
    meant, before = (grant.amount * minor // payment.net_minor for minor in (back, back - made.net_minor))
    return credits.revoke(
        session,
        order.customer_id,
        grant.id,
        key=refund_outcome.revoking(made),
        reason="The pack was refunded",
        actor=actor,
        most=meant - before,
    )


def _reserve_invoice(session: Session, providers: Providers, invoice: Invoice, wish: Wish) -> Refund:
    if invoice.status != "paid":
        raise NotRefundable("Only an invoice that is paid can be refunded.", type=invoice.status)
    if any(refund.state in ("reserved", "sent") for refund in _of_invoice(session, invoice)):
        raise Conflict("Another refund of this invoice is under way. Wait until it has arrived.")
    net = _wanted(wish, left_of_invoice(session, invoice))
    if invoice.source == OURS and ledger.entry(session, invoice.customer_id, invoice.payment_id or "") is not None:
        return _to_wallet(session, invoice, net, wish)
    return _to_card(session, providers, invoice, net, wish)


def _to_wallet(session: Session, invoice: Invoice, net: int, wish: Wish) -> Refund:
    """All in one transaction: nobody outside has to be asked."""
    before = invoice.credited_minor
    made = _of(session, invoice, wish, net, order_id=invoice.order_id)
    note = invoices.credit(
        session,
        invoice,
        net_minor=net,
        reason=wish.reason,
        returned_to="wallet",
        key=f"refund:{made.id}",
        actor=wish.actor,
    )
    made.credit_note_id = note.id
    entries = return_unused(
        session,
        invoice,
        net_minor=note.net_minor,
        tax_minor=note.tax_minor,
        before_minor=before,
        key=f"refund:{made.id}",
        description=f"Refund of invoice {invoice.number}",
    )
    made.end_entry_id = entries[0].id
    refunds.move(session, made, "succeeded", actor=wish.actor)
    return made


def _to_card(session: Session, providers: Providers, invoice: Invoice, net: int, wish: Wish) -> Refund:
    payment_id = invoice.payment_id
    if payment_id is None:
        raise NotRefundable("No card paid this invoice, so nothing can go back to one.", type="invoice")
    channel, order_id = _paid_through(session, invoice)
    returned.locked(session, channel, payment_id)
    _refuse(session, providers, channel, payment_id, whole=net == invoice.net_minor)
    made = _of(session, invoice, wish, net, channel=channel, payment_id=payment_id, order_id=order_id)
    if invoice.source == OURS:  # a provider's own invoices are not in our books
        made.entry_id = books.set_aside_of_sale(session, made).id
        session.flush()
    return made


def _paid_through(session: Session, invoice: Invoice) -> tuple[str, str | None]:
    if invoice.source != OURS:
        return invoice.source, invoice.order_id
    mine = select(Order).where(Order.customer_id == invoice.customer_id, Order.payment_id == invoice.payment_id)
    order = session.scalars(mine.limit(1)).first()
    if order is None:
        raise NotRefundable("It is not known how this invoice was paid.", type="invoice")
    return order.channel, order.id


def _tax_of(session: Session, invoice: Invoice, net: int) -> int:
    """The tax on `net` of an invoice, after what has gone back of it."""
    if invoice.source == OURS:
        return tax_on(session, invoice, net)
    credited, sent = _credited(session, invoice), _of_invoice(session, invoice)
    before = max(credited, (sum(each.net_minor for each in sent), sum(each.tax_minor for each in sent)))
    return share(invoice.tax_minor, invoice.net_minor, before[0] + net, before[1])


def _credited(session: Session, invoice: Invoice) -> tuple[int, int]:
    """What credit notes took back of it, and the tax on that."""
    its = (CreditNote.customer_id == invoice.customer_id, CreditNote.invoice_id == invoice.id)
    sums = func.coalesce(func.sum(CreditNote.net_minor), 0), func.coalesce(func.sum(CreditNote.tax_minor), 0)
    net, tax = session.execute(select(*sums).where(*its)).one()
    return int(net), int(tax)


def _refuse(session: Session, providers: Providers, channel: str, payment_id: str, *, whole: bool) -> None:
    if disputes.is_disputed(session, channel, payment_id):
        raise PaymentDisputed("This payment is disputed with the bank, so nothing of it can be refunded.")
    provider = providers.get(channel)
    if provider is None or Cap.REFUND_FULL not in provider.capabilities:
        raise UnsupportedByChannel("This payment's provider cannot pay money back from here.", channel=channel)
    if not whole and Cap.REFUND_PARTIAL not in provider.capabilities:
        raise UnsupportedByChannel(f"{provider.title} can only pay back the whole amount.", channel=channel)


def _wanted(wish: Wish, left: int) -> int:
    if left <= 0:
        raise NothingToRefund("All of it has gone back already.", refundable_minor=0)
    net = wish.net_minor if wish.net_minor is not None else left
    if not 0 < net <= left:
        raise MoreThanRefundable("That is more than is left of it.", field="amount", refundable_minor=left)
    return net


def _of_invoice(session: Session, invoice: Invoice) -> list[Refund]:
    its = (Refund.customer_id == invoice.customer_id, Refund.invoice_id == invoice.id, Refund.state.in_(TAKEN))
    return list(session.scalars(select(Refund).where(*its)))


def _of(session: Session, invoice: Invoice, wish: Wish, net: int, **more: str | None) -> Refund:
    return _row(
        session,
        wish,
        customer_id=invoice.customer_id,
        kind="invoice",
        net_minor=net,
        tax_minor=_tax_of(session, invoice, net),
        currency=invoice.currency,
        invoice_id=invoice.id,
        **more,
    )


def _row(session: Session, wish: Wish, **about: Any) -> Refund:
    said: dict[str, Any] = {"key": wish.key, "reason": wish.reason, "requested_by": wish.actor, "state": "reserved"}
    made, _ = refunds.make(session, **said, **about)
    refunds.decide(made, wish.actor)
    session.flush()
    return made
