"""Asking for the whole balance back, as somebody who leaves does: staff decide, the window does not count (SPEC W4)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, ledger, notices
from app.db import transaction
from app.errors import Conflict, NotFound
from app.flows import refund, refund_top_up, take_bonus_back
from app.flows.refund import Providers
from app.flows.refund_top_up import Wish
from app.payments import refunds
from app.payments.refund_table import Refund
from app.payments.refunds import NothingToRefund
from app.wallet import words
from app.wallet.accounts import wallet_of

KIND = "balance"
_WITHDRAWN = "Taken back by the customer."
_NOTHING = "Nothing in your wallet can be paid back: only what you paid in and did not spend can."


def open_one(session: Session, customer_id: str) -> Refund | None:
    """The request of this customer that waits for a decision."""
    mine = select(Refund).where(Refund.customer_id == customer_id, Refund.kind == KIND, Refund.state == "requested")
    return session.scalars(mine.limit(1)).first()


def ask(
    session: Session, providers: Providers, customer_id: str, *, reason: str, key: str, actor: str, currency: str
) -> Refund:
    """A request for all that can go back now; nothing moves before staff approve.

    Raises NothingToRefund, and Conflict where one waits already; the same key answers the same request.
    """
    with transaction(session):
        ledger.lock_account(session, wallet_of(customer_id, currency))
        if before := refunds.of_key(session, customer_id, key):
            return refunds.same(before, kind=KIND)
        if open_one(session, customer_id) is not None:
            raise Conflict("You have asked for your balance already. We answer by mail.")
        there = refund_top_up.possible(session, providers, customer_id, currency)
        total = sum(one.left_minor for one in there)
        if not total:
            raise NothingToRefund(_NOTHING, refundable_minor=0)
        made, _ = refunds.make(
            session,
            customer_id=customer_id,
            key=key,
            kind=KIND,
            state="requested",
            net_minor=total,
            tax_minor=refund_top_up.tax_on(session, there),
            currency=currency,
            reason=words.plain(reason, field="reason", least=0, most=words.REASON_MOST),
            requested_by=actor,
        )
        return made


def approve(session: Session, providers: Providers, refund_id: str, *, actor: str) -> Refund:
    """Pay back what can go back now, newest top-up first. Approved twice, it is done once.

    Raises NotFound, NothingToRefund where it has been spent meanwhile, Conflict for a request that was denied,
    WalletFrozen.
    """
    with transaction(session):
        request = _request(session, refund_id)
        customer_id, parts = request.customer_id, []
        if request.state == "denied":
            raise Conflict("This request was turned down already.")
        if request.state == "requested":
            parts = _set_aside(session, providers, request, actor)
    refund.carry_out(session, providers, parts)
    with transaction(session):
        return refunds.one(session, customer_id, refund_id)


def deny(session: Session, refund_id: str, *, why: str, actor: str) -> Refund:
    """Turn it down, with a reason that the customer reads. Raises Invalid for the reason, Conflict if it is decided."""
    told = words.reason(why)
    with transaction(session):
        request = _request(session, refund_id)
        if request.state == "denied":
            return request
        if not refunds.move(session, request, "denied", actor=actor, why=told) or request.state != "denied":
            raise Conflict("This request was approved already.")
        refunds.decide(request, actor)
        facts: dict[str, Any] = {"amount_minor": request.amount_minor, "currency": request.currency, "why": told}
        notices.tell(session, request.customer_id, "refund_denied", key=f"refund:{request.id}:denied", **facts)
        return request


def withdraw(session: Session, customer_id: str, *, actor: str) -> Refund:
    """Its customer takes it back while nobody has decided. Raises Conflict where nothing waits any more."""
    with transaction(session):
        waiting = open_one(session, customer_id)
        request = _request(session, waiting.id) if waiting else None
        if request is None or not refunds.move(session, request, "denied", actor=actor, why=_WITHDRAWN):
            raise Conflict("Nothing waits for an answer any more.")
        refunds.decide(request, actor)
        return request


def parts_of(session: Session, request: Refund) -> list[Refund]:
    """What was paid back for it, in the order in which it was."""
    its = select(Refund).where(Refund.customer_id == request.customer_id, Refund.parent_id == request.id)
    return list(session.scalars(its.order_by(Refund.created_at, Refund.id)))


def _request(session: Session, refund_id: str) -> Refund:
    found = refunds.find(session, refund_id, lock=True)
    if found is None or found.kind != KIND:
        raise NotFound("There is no such request.")
    return found


def _set_aside(session: Session, providers: Providers, request: Refund, actor: str) -> list[str]:
    """Every part out of the wallet, in the transaction that decides: all of them, or none."""
    customer_id, currency = request.customer_id, request.currency
    there = refund_top_up.possible(session, providers, customer_id, currency, lock=True)
    if not there:
        raise NothingToRefund("Nothing in this wallet can be paid back any more.", refundable_minor=0)
    wish = Wish(entry_id="", key="", actor=actor, reason=request.reason or "The balance was asked for", by_staff=True)
    refunds.move(session, request, "reserved", actor=actor)
    refunds.decide(request, actor)
    parts = [
        refund_top_up.set_aside(
            session,
            customer_id,
            one,
            one.left_minor,
            currency,
            key=f"{request.id}:{number}",
            wish=wish,
            decided_by=actor,
            parent_id=request.id,
        )
        for number, one in enumerate(there)
    ]
    for part in parts:  # last: while some is held, one part's gift would take what another needs
        take_bonus_back.follow(session, part.channel, part.payment_id, cause=part.id)
    told: dict[str, Any] = {"parts": [part.id for part in parts]}
    told["amount_minor"] = sum(part.amount_minor for part in parts)
    if request.reason:
        told["reason"] = request.reason
    activity.record(session, actor, "refund.approved", request.id, customer_id=customer_id, **told)
    return [part.id for part in parts]
