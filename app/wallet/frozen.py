"""Whether a wallet is frozen: while a dispute over its money is open, and after a lost one until the hole is filled."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import activity, ledger
from app.payments import disputes
from app.payments.dispute_table import Dispute
from app.wallet import words
from app.wallet.accounts import wallet_of


@dataclass(frozen=True, slots=True)
class Why:
    """Why it is frozen, and what there is to do. Amounts in micros, above zero."""

    disputes: list[Dispute]
    owed: int  # how far the wallet is below zero

    @property
    def is_open(self) -> bool:
        """Whether a case is not decided yet; else the cases are lost, and only the hole is left to fill."""
        return any(dispute.phase == "open" for dispute in self.disputes)


def why(session: Session, customer_id: str, balance: ledger.Balance) -> Why | None:
    """Why this wallet is frozen; None for one that is not."""
    if not balance.frozen:
        return None
    return Why(disputes.freezing(session, customer_id), balance.debt)


def decide(session: Session, customer_id: str, currency: str, *, actor: str = "system") -> bool:
    """Freeze or thaw the wallet as its disputes say, after one of them moved or money came in. Whether it is frozen.

    A case that is lost freezes it no longer once nothing is owed. Disputes are changed under the wallet's lock alone.
    """
    wallet = wallet_of(customer_id, currency)
    owes = ledger.lock_account(session, wallet).debt > 0
    mine = [dispute for dispute in disputes.freezing(session, customer_id) if dispute.currency == currency]
    for dispute in mine:
        dispute.freezes = dispute.phase == "open" or (dispute.phase == "lost" and owes)
    session.flush()
    frozen = any(dispute.freezes for dispute in mine)
    _set(session, wallet, frozen, actor)
    return frozen


def filled(session: Session, customer_id: str, currency: str) -> None:
    """Money came in: thaw the wallet if it waited for that. In the same transaction, before anything spends it."""
    if ledger.lock_account(session, wallet_of(customer_id, currency)).frozen:
        decide(session, customer_id, currency)


def thaw(session: Session, dispute: Dispute, *, reason: str, actor: str) -> None:
    """Staff let the customer spend again, whatever becomes of this case. Raises Invalid for the reason.

    The wallet stays frozen while another dispute freezes it.
    """
    said = words.reason(reason)
    ledger.lock_account(session, wallet_of(dispute.customer_id, dispute.currency))
    dispute.freezes = False
    told = {"reason": said, "phase": dispute.phase}
    activity.record(session, actor, "dispute.set_aside", dispute.id, customer_id=dispute.customer_id, **told)
    session.flush()
    decide(session, dispute.customer_id, dispute.currency, actor=actor)


def _set(session: Session, wallet: ledger.Account, frozen: bool, actor: str) -> None:
    customer_id = wallet.customer_id
    if frozen and ledger.freeze(session, wallet):
        activity.record(session, actor, "wallet.frozen", customer_id, customer_id=customer_id)
    elif not frozen and ledger.thaw(session, wallet):
        activity.record(session, actor, "wallet.thawed", customer_id, customer_id=customer_id)
