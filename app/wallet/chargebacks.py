"""Chargebacks in the books: a disputed top-up is taken out of the wallet, and comes back if it is won (SPEC W5)."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.orm import Session

from app import ledger
from app.money import minor_to_micros
from app.wallet.accounts import cash, chargebacks, losses, wallet_of

_TELLING = 120  # characters of what names a telling; the newest end tells them apart


class Disputed(Protocol):
    """What the books need to know of a dispute; `app.payments` has one. Minor units of `currency`."""

    @property
    def customer_id(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def provider_dispute_id(self) -> str: ...
    @property
    def payment_id(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def reversed_minor(self) -> int: ...
    @property
    def fee_minor(self) -> int: ...
    @property
    def told_as(self) -> str: ...


def credited(session: Session, customer_id: str, channel: str, payment_id: str) -> bool:
    """Whether this payment went into the wallet."""
    return ledger.find_entry(session, customer_id, f"topup:{channel}:{payment_id}") is not None


def take(session: Session, dispute: Disputed, minor: int, *, after: str = "") -> ledger.Entry:
    """Take so much out of the wallet, paid money first, even below zero. Once per dispute, and once more `after` each
    refund that failed."""
    amount, currency = minor_to_micros(minor, dispute.currency), dispute.currency
    legs = {wallet_of(dispute.customer_id, currency): -amount, chargebacks(dispute.channel, currency): amount}
    return ledger.post(
        session, "chargeback", legs, customer_id=dispute.customer_id, key=_key("chargeback", dispute, after),
        data=_data(dispute, "Payment disputed with the bank"),
    )  # fmt: skip


def restore(session: Session, dispute: Disputed, taken: ledger.Entry, *, but_minor: int = 0) -> ledger.Entry | None:
    """Give back exactly what was taken, `taken` first; what had been promotional is so again. Once per dispute.

    `but_minor` has gone back otherwise meanwhile, and leaves our books for the provider's.
    """
    wallet = wallet_of(dispute.customer_id, dispute.currency)
    leg = taken.leg(wallet)
    amount = minor_to_micros(dispute.reversed_minor - but_minor, dispute.currency)
    gift = min(-leg.promo_amount, amount)
    entry = None
    _leave(session, dispute, "chargeback_refunded", kept=minor_to_micros(but_minor, dispute.currency), lost=0)
    for kind, part in (("chargeback_won", amount - gift), ("chargeback_won_promo", gift)):
        if part:
            legs = {wallet: part, chargebacks(dispute.channel, dispute.currency): -part}
            entry = ledger.post(
                session, kind, legs, customer_id=dispute.customer_id, key=_key(kind, dispute),
                data=_data(dispute, "The dispute was won"),
            )  # fmt: skip
    return entry


def close(session: Session, dispute: Disputed, *, kept_minor: int, lost_minor: int) -> ledger.Entry | None:
    """What the provider keeps: `kept` of what the wallet gave, and `lost` out of our own pocket. Once per dispute."""
    kept, lost = (minor_to_micros(minor, dispute.currency) for minor in (kept_minor, lost_minor))
    return _leave(session, dispute, "dispute_closed", kept=kept, lost=lost)


def close_again(session: Session, dispute: Disputed, *, minor: int, after: str) -> None:
    """So much of what was our own loss the wallet gave after all."""
    amount = minor_to_micros(minor, dispute.currency)
    _leave(session, dispute, "dispute_closed", kept=amount, lost=-amount, after=after)


def open_again(session: Session, dispute: Disputed, *, kept_minor: int, lost_minor: int) -> None:
    """The provider's last word was not its last: what it had kept it gives back. Its fee stays. Once per dispute."""
    kept, lost = (minor_to_micros(minor, dispute.currency) for minor in (kept_minor, lost_minor))
    if kept or lost:
        _post(session, dispute, "dispute_reopened", "dispute_reopened", kept=-kept, lost=-lost)


def book_fee_again(session: Session, dispute: Disputed, *, before_minor: int) -> ledger.Entry | None:
    """The fee is another than when the case was closed: what it is more or less. Once per telling."""
    more = minor_to_micros(dispute.fee_minor - before_minor, dispute.currency)
    if not more:
        return None
    legs = {losses(dispute.currency): -more, cash(dispute.channel, dispute.currency): more}
    return ledger.post(
        session, "dispute_fee", legs, customer_id=dispute.customer_id,
        key=_key("dispute_fee", dispute, dispute.told_as[-_TELLING:]), data=_data(dispute, "Dispute fee changed"),
    )  # fmt: skip


def leave_for_refund(
    session: Session, dispute: Disputed, *, minor: int, is_closed: bool, after: str
) -> ledger.Entry | None:
    """So much of what was taken went back by a refund that was made before: it leaves our books as that refund.

    What has left them already, as kept by the bank, is our own loss instead.
    """
    amount = minor_to_micros(minor, dispute.currency)
    kept, lost = (0, amount) if is_closed else (amount, 0)
    return _leave(session, dispute, "chargeback_refunded", kept=kept, lost=lost, after=after)


def _leave(
    session: Session, dispute: Disputed, why: str, *, kept: int, lost: int, after: str = ""
) -> ledger.Entry | None:
    if not kept and not lost:
        return None
    return _post(session, dispute, "dispute_closed", why, kept=kept, lost=lost, after=after)


def _post(
    session: Session, dispute: Disputed, kind: str, why: str, *, kept: int, lost: int, after: str = ""
) -> ledger.Entry:
    legs = {
        chargebacks(dispute.channel, dispute.currency): -kept,
        losses(dispute.currency): -lost,
        cash(dispute.channel, dispute.currency): kept + lost,
    }
    words = "Dispute closed" if kind == "dispute_closed" else "Dispute opened again"
    return ledger.post(
        session, kind, {account: amount for account, amount in legs.items() if amount},
        customer_id=dispute.customer_id, key=_key(why, dispute, after), data=_data(dispute, words),
    )  # fmt: skip


def _key(what: str, dispute: Disputed, after: str = "") -> str:
    return ":".join([what, dispute.channel, dispute.provider_dispute_id, *([after] if after else [])])


def _data(dispute: Disputed, words: str) -> dict[str, str]:
    return {
        "description": words,
        "dispute": dispute.id,
        "channel": dispute.channel,
        "payment": dispute.payment_id,
    }
