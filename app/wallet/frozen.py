"""Whether a wallet is frozen: while a dispute is open, after a lost one until the hole is filled, or by staff.

Disputes and staff count apart: what the one has ended, the other may still keep frozen.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app import activity, clock, ids, ledger
from app.errors import Conflict
from app.payments import disputes
from app.payments.dispute_table import Dispute
from app.wallet import words
from app.wallet.accounts import wallet_of
from app.wallet.models import WalletFreeze


@dataclass(frozen=True, slots=True)
class Why:
    """Why it is frozen, and what there is to do. Amounts in micros, above zero."""

    disputes: list[Dispute]
    owed: int  # how far the wallet is below zero
    by_staff: WalletFreeze | None = None

    @property
    def is_open(self) -> bool:
        """Whether a case is not decided yet; else the cases are lost, and only the hole is left to fill."""
        return any(dispute.phase == "open" for dispute in self.disputes)


def why(session: Session, customer_id: str, balance: ledger.Balance) -> Why | None:
    """Why this wallet is frozen; None for one that is not."""
    if not balance.frozen:
        return None
    live = _by_hand(customer_id)
    return Why(disputes.freezing(session, customer_id), balance.debt, session.scalars(live).first())


def by_hand(session: Session, customer_id: str, currency: str) -> WalletFreeze | None:
    """What staff froze of this wallet and have not thawed; None where they did not."""
    return session.scalars(_by_hand(customer_id).where(WalletFreeze.currency == currency)).one_or_none()


def freeze_by_hand(session: Session, customer_id: str, currency: str, *, reason: str, actor: str) -> WalletFreeze:
    """Staff keep the customer from spending, until they thaw it. Raises Invalid for the reason, Conflict for twice."""
    said = words.reason(reason)
    wallet = wallet_of(customer_id, currency)
    ledger.lock_account(session, wallet)
    if by_hand(session, customer_id, currency) is not None:
        raise Conflict("Staff have frozen this wallet already.", customer_id=customer_id)
    row = WalletFreeze(
        customer_id=customer_id,
        id=ids.new("frz"),
        currency=currency,
        reason=said,
        frozen_by=actor,
        frozen_at=clock.now(),
    )
    session.add(row)
    activity.record(session, actor, "wallet.frozen_by_staff", row.id, customer_id=customer_id, reason=said)
    session.flush()
    _set(session, wallet, True, actor)
    return row


def thaw_by_hand(session: Session, customer_id: str, currency: str, *, reason: str, actor: str) -> bool:
    """Take the staff's freeze back. Whether the wallet is frozen still: by a dispute.

    Raises Invalid for the reason, Conflict where staff froze nothing.
    """
    said = words.reason(reason)
    ledger.lock_account(session, wallet_of(customer_id, currency))
    row = by_hand(session, customer_id, currency)
    if row is None:
        raise Conflict("Staff have not frozen this wallet.", customer_id=customer_id)
    row.thawed_by, row.thawed_at = actor, clock.now()
    activity.record(session, actor, "wallet.thawed_by_staff", row.id, customer_id=customer_id, reason=said)
    session.flush()
    return decide(session, customer_id, currency, actor=actor)


def decide(session: Session, customer_id: str, currency: str, *, actor: str = "system") -> bool:
    """Freeze or thaw the wallet as its disputes and staff say, after something moved or came in. Whether it is frozen.

    A case that is lost freezes it no longer once nothing is owed. Disputes are changed under the wallet's lock alone.
    """
    wallet = wallet_of(customer_id, currency)
    owes = ledger.lock_account(session, wallet).debt > 0
    mine = [dispute for dispute in disputes.freezing(session, customer_id) if dispute.currency == currency]
    for dispute in mine:
        dispute.freezes = dispute.phase == "open" or (dispute.phase == "lost" and owes)
    session.flush()
    frozen = any(dispute.freezes for dispute in mine) or by_hand(session, customer_id, currency) is not None
    _set(session, wallet, frozen, actor)
    return frozen


def filled(session: Session, customer_id: str, currency: str) -> None:
    """Money came in: thaw the wallet if it waited for that. In the same transaction, before anything spends it."""
    if ledger.lock_account(session, wallet_of(customer_id, currency)).frozen:
        decide(session, customer_id, currency)


def thaw(session: Session, dispute: Dispute, *, reason: str, actor: str) -> None:
    """Staff let the customer spend again, whatever becomes of this case. Raises Invalid for the reason.

    The wallet stays frozen while another dispute, or staff by hand, freezes it.
    """
    said = words.reason(reason)
    ledger.lock_account(session, wallet_of(dispute.customer_id, dispute.currency))
    dispute.freezes = False
    told = {"reason": said, "phase": dispute.phase}
    activity.record(session, actor, "dispute.set_aside", dispute.id, customer_id=dispute.customer_id, **told)
    session.flush()
    decide(session, dispute.customer_id, dispute.currency, actor=actor)


def _by_hand(customer_id: str) -> Select[WalletFreeze]:
    return select(WalletFreeze).where(WalletFreeze.customer_id == customer_id, WalletFreeze.thawed_at.is_(None))


def _set(session: Session, wallet: ledger.Account, frozen: bool, actor: str) -> None:
    customer_id = wallet.customer_id
    if frozen and ledger.freeze(session, wallet):
        activity.record(session, actor, "wallet.frozen", customer_id, customer_id=customer_id)
    elif not frozen and ledger.thaw(session, wallet):
        activity.record(session, actor, "wallet.thawed", customer_id, customer_id=customer_id)
