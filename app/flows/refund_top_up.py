"""Paying back top-ups: one, by its customer within the window or by staff; or all that a wallet still holds (W4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app import clock, ledger
from app.db import transaction
from app.errors import NotFound, UnsupportedByChannel, WalletFrozen
from app.flows import auto_top_up_outcome, refund, take_bonus_back
from app.flows.refund import Providers
from app.flows.refund_tax import share_of_tax
from app.money import minor_to_micros
from app.notices import phrases
from app.payments import disputes, refunds, returned
from app.payments.models import Payment
from app.payments.refund_table import Refund
from app.payments.refunds import MoreThanRefundable, NothingToRefund, NotRefundable, PaymentDisputed, WindowClosed
from app.providers.port import Provider
from app.providers.values import Cap
from app.wallet import kinds, refundable
from app.wallet import refunds as books
from app.wallet.accounts import wallet_of
from app.wallet.refundable import TopUp


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for. `net_minor` None is all that can go back. `by_staff`: the window does not count."""

    entry_id: str
    key: str
    actor: str
    reason: str
    net_minor: int | None = None
    by_staff: bool = False


def start(session: Session, providers: Providers, customer_id: str, wish: Wish, *, currency: str = "usd") -> Refund:
    """Pay back a top-up, or a part of it, to where it came from; the same key answers the same refund.

    Whatever the provider answers or not, the refund stands: it is gone on with. Raises NotFound, NotRefundable,
    WindowClosed, NothingToRefund, MoreThanRefundable, PaymentDisputed, UnsupportedByChannel, WalletFrozen,
    IdempotencyKeyReused.
    """
    with transaction(session):
        made, is_new = _reserve(session, providers, customer_id, wish, currency)
        refund_id = made.id
    if is_new:
        refund.carry_out(session, providers, [refund_id])
    with transaction(session):
        return refunds.one(session, customer_id, refund_id)


def look(
    session: Session, providers: Providers, customer_id: str, entry_id: str, *, by_staff: bool = False, currency: str
) -> TopUp:
    """What could go back of a top-up now. Raises as `start` does."""
    entry = _top_up(session, customer_id, entry_id, currency)
    if not by_staff:
        _refuse_late(entry)
    there = _left(session, customer_id, entry, currency)
    _refuse_disputed(session, there.channel, there.payment_id)
    _refuse_frozen(session, customer_id, currency)
    payment = returned.find(session, there.channel, there.payment_id)
    _able(providers, there.channel, payment, there, there.left_minor)
    return there


def _reserve(
    session: Session, providers: Providers, customer_id: str, wish: Wish, currency: str
) -> tuple[Refund, bool]:
    entry = _top_up(session, customer_id, wish.entry_id, currency)
    channel, payment_id = str(entry.data["channel"]), str(entry.data["payment"])
    payment = returned.locked(session, channel, payment_id)
    if before := refunds.of_key(session, customer_id, wish.key):
        return refunds.same(before, kind="topup", payment_id=payment_id, parent_id=None), False
    if not wish.by_staff:
        _refuse_late(entry)
    _refuse_disputed(session, channel, payment_id)
    ledger.lock_account(session, wallet_of(customer_id, currency))
    there = _left(session, customer_id, entry, currency)
    net = wish.net_minor if wish.net_minor is not None else there.left_minor
    if not 0 < net <= there.left_minor:
        sentence = f"Of this top-up {_shown(there.left_minor, currency)} can go back."
        raise MoreThanRefundable(sentence, field="amount", refundable_minor=there.left_minor)
    _able(providers, channel, payment, there, net)
    decided: dict[str, Any] = {"decided_by": wish.actor} if wish.by_staff else {}
    made = set_aside(session, customer_id, there, net, currency, key=wish.key, wish=wish, **decided)
    take_bonus_back.follow(session, channel, payment_id, cause=made.id)
    return made, True


def set_aside(
    session: Session,
    customer_id: str,
    top_up: TopUp,
    net_minor: int,
    currency: str,
    *,
    key: str,
    wish: Wish,
    decided_by: str | None = None,
    parent_id: str | None = None,
) -> Refund:
    """Write down one refund and take its money out of the wallet; nothing tops it up by itself.

    A coupon's bonus is for the caller to take along, once all money is set aside.
    """
    payment = returned.find(session, top_up.channel, top_up.payment_id)
    made, _ = refunds.make(
        session,
        customer_id=customer_id,
        key=key,
        kind="topup",
        state="reserved",
        net_minor=net_minor,
        tax_minor=share_of_tax(session, payment, net_minor) if payment else 0,
        currency=currency,
        reason=wish.reason,
        requested_by=wish.actor,
        channel=top_up.channel,
        payment_id=top_up.payment_id,
        order_id=top_up.order_id,
        parent_id=parent_id,
    )
    if decided_by:
        refunds.decide(made, decided_by)
    made.entry_id = books.set_aside(session, made).id
    auto_top_up_outcome.suspend(session, customer_id, "refund", key=made.id)
    session.flush()
    return made


def possible(
    session: Session, providers: Providers, customer_id: str, currency: str, *, lock: bool = False
) -> Sequence[TopUp]:
    """All that could go back of a wallet, newest top-up first: what its channels can pay, and nothing disputed.

    `lock` keeps payments and wallet as they are until the commit.
    """
    there = refundable.top_ups(session, customer_id, currency)
    if lock:
        names = sorted((one.channel, one.payment_id) for one in there)
        for name in names:
            returned.locked(session, *name)
        ledger.lock_account(session, wallet_of(customer_id, currency))
        again = refundable.top_ups(session, customer_id, currency)
        there = [one for one in again if (one.channel, one.payment_id) in names]
    return [one for one in there if _is_possible(session, providers, one)]


def tax_on(session: Session, there: Sequence[TopUp]) -> int:
    """The tax that would go back with all that is left of these, in minor units."""
    payments = [(returned.find(session, one.channel, one.payment_id), one.left_minor) for one in there]
    return sum(share_of_tax(session, payment, left) for payment, left in payments if payment is not None)


def _is_possible(session: Session, providers: Providers, top_up: TopUp) -> bool:
    if disputes.is_disputed(session, top_up.channel, top_up.payment_id):
        return False
    payment = returned.find(session, top_up.channel, top_up.payment_id)
    try:
        _able(providers, top_up.channel, payment, top_up, top_up.left_minor)
    except UnsupportedByChannel:
        return False
    return True


def _top_up(session: Session, customer_id: str, entry_id: str, currency: str) -> ledger.Entry:
    entry = ledger.entry(session, customer_id, entry_id)
    if entry is None or all(leg.account != wallet_of(customer_id, currency) for leg in entry.legs):
        raise NotFound("There is no such transaction.")
    if entry.kind != "topup" or "payment" not in entry.data:
        raise NotRefundable("Only a top-up can be refunded.", type=kinds.named(entry.kind).api)
    return entry


def _refuse_late(entry: ledger.Entry) -> None:
    until = entry.recorded_at + refundable.WINDOW
    if clock.now() >= until:
        sentence = "This top-up is more than seven days old. Ask us for your balance on the wallet page."
        raise WindowClosed(sentence, until=clock.timestamp(until))


def _refuse_disputed(session: Session, channel: str, payment_id: str) -> None:
    if disputes.is_disputed(session, channel, payment_id):
        raise PaymentDisputed("This payment is disputed with the bank, so nothing of it can be refunded.")


def _refuse_frozen(session: Session, customer_id: str, currency: str) -> None:
    """Before somebody fills in a form that the books would refuse."""
    if ledger.balance(session, wallet_of(customer_id, currency)).frozen:
        raise WalletFrozen("The wallet is frozen, so nothing can be refunded from it until it is thawed.")


def _left(session: Session, customer_id: str, entry: ledger.Entry, currency: str) -> TopUp:
    there = refundable.of_entry(session, customer_id, currency, entry)
    if there is not None:
        return there
    name = str(entry.data["channel"]), str(entry.data["payment"])
    back = minor_to_micros(returned.returned_minor(session, *name).total, currency)
    gone = back >= entry.leg(wallet_of(customer_id, currency)).amount
    sentence = "has gone back already" if gone else "is spent or set aside for something that is under way"
    raise NothingToRefund(f"This top-up {sentence}, so nothing of it can be refunded.", refundable_minor=0)


def _able(providers: Mapping[str, Provider], channel: str, payment: Payment | None, there: TopUp, net: int) -> None:
    """Raises UnsupportedByChannel where the provider cannot pay so much back, or is not set up here."""
    provider = providers.get(channel)
    if provider is None or Cap.REFUND_FULL not in provider.capabilities or payment is None:
        sentence = "This payment cannot be refunded here. Write to us, and we find another way."
        raise UnsupportedByChannel(sentence, channel=channel)
    if Cap.REFUND_PARTIAL not in provider.capabilities and net != payment.net_minor:
        whole, left = (_shown(minor, payment.currency) for minor in (payment.net_minor, there.left_minor))
        sentence = f"{provider.title} can only pay back the whole {whole}, and {left} of it is left."
        raise UnsupportedByChannel(sentence, channel=channel)


def _shown(minor: int, currency: str) -> str:
    return phrases.money(minor_to_micros(minor, currency), currency)
