"""Freezing a customer's account: money still comes in, nothing is spent or held (SPEC W5).

The flag stands in the account's own row and raises its revision, so it is part of every write: one worked out from the
account as it was before is refused like any other that came too late, and worked out anew.
"""

from __future__ import annotations

from sqlalchemy import not_, update
from sqlalchemy.orm import Session

from app.ledger import tables
from app.ledger.accounts import Account
from app.ledger.posting import lock_account

_a = tables.accounts


def freeze(session: Session, account: Account) -> bool:
    """Refuse what spends or holds from this account from now on, with WalletFrozen. Whether it was not frozen before.

    What still passes: money in, chargebacks and a provider's refunds, staff's adjustments, reversals, expiry, and
    settling or ending a hold given before.
    """
    return _set(session, account, frozen=True)


def thaw(session: Session, account: Account) -> bool:
    """Let it spend again. Whether it was frozen before."""
    return _set(session, account, frozen=False)


def _set(session: Session, account: Account, *, frozen: bool) -> bool:
    if lock_account(session, account).frozen is frozen:
        return False
    session.execute(
        update(_a)
        .where(_a.c.customer_id == account.customer_id, _a.c.kind == account.kind, _a.c.asset == account.asset)
        .where(not_(_a.c.frozen) if frozen else _a.c.frozen)
        .values(frozen=frozen, revision=_a.c.revision + 1)
    )
    return True
