"""Undoing a movement of credits: what was taken goes back to the grants it came from (SPEC R2)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, clock, ledger
from app.credits import burn_down, expire
from app.credits.accounts import adjustments, credits_of
from app.credits.models import CreditAllocation, CreditGrant
from app.errors import Conflict, NotFound
from app.wallet import words

_NEVER = ("reversal", "credit_expiry")


class NotReversible(Conflict):
    """A return, or the end of a grant, is not undone: give credits instead. Details: kind."""

    code = "NOT_REVERSIBLE"


class CreditsSpent(Conflict):
    """What was granted is spent in part, so the grant cannot be undone as a whole. Details: amount, remaining."""

    code = "CREDITS_SPENT"


def reverse(
    session: Session, customer_id: str, entry_id: str, *, key: str, reason: str, actor: str = "system"
) -> ledger.Entry:
    """Undo a spend, a taking or a whole grant, once. What was taken returns to the same grants, whatever today's order.

    A grant whose time is over meanwhile ends at once with what returned to it. Raises NotFound, AlreadyReversed,
    NotReversible, and CreditsSpent for a grant that is used in part (`revoke` takes what is left of one).
    """
    account = credits_of(customer_id)
    ledger.lock_account(session, account)
    original = ledger.entry(session, customer_id, entry_id)
    if original is None or all(leg.account != account for leg in original.legs):
        raise NotFound("There is no such credit transaction.", entry_id=entry_id)
    if original.kind in _NEVER:
        raise NotReversible("This cannot be undone. Give or take credits instead.", kind=original.kind)
    before = ledger.find_entry(session, customer_id, key)
    shares = {} if before else _undone(session, original)
    entry = ledger.reverse(session, entry_id, customer_id=customer_id, key=key, reason=words.reason(reason))
    if entry.replayed:
        return entry
    burn_down.write(session, entry, shares, day_kind=f"returned:{original.kind}")
    expire.without_expired(session, shares, clock.now(), occasion=entry.id)
    told = {"amount": entry.leg(account).amount, "reverses": entry_id, "reason": reason, "entry": entry.id}
    activity.record(session, actor, "credits.reversed", entry_id, customer_id=customer_id, **told)
    return entry


def revoke(
    session: Session,
    customer_id: str,
    grant_id: str,
    *,
    key: str,
    reason: str,
    actor: str,
    most: int | None = None,
) -> int:
    """Take what is left of one grant, once per key, and say how much: its payment was refunded or disputed.

    `most` credits at most. Zero where nothing is left. Raises NotFound for a grant this customer does not have.
    """
    account = credits_of(customer_id)
    ledger.lock_account(session, account)
    grant = session.get(CreditGrant, (customer_id, grant_id), populate_existing=True)
    if grant is None:
        raise NotFound("There is no such grant.", grant_id=grant_id)
    left = grant.remaining if most is None else min(grant.remaining, most)
    if ledger.find_entry(session, customer_id, key) is not None or left == 0:
        return 0
    data = {"description": words.reason(reason), "grant": grant_id, "by": actor}
    legs = {account: -left, adjustments(): left}
    entry = ledger.post(session, "adjustment", legs, customer_id=customer_id, key=key, data=data)
    burn_down.write(session, entry, {grant: -left})
    told = {"amount": -left, "reason": reason, "entry": entry.id}
    activity.record(session, actor, "credits.revoked", grant_id, customer_id=customer_id, **told)
    return left


def give_back_revoked(session: Session, customer_id: str, *, key: str, reason: str, actor: str) -> int:
    """What `revoke` took under this key goes back, once: the refund or dispute it was for came to nothing.

    How many credits went back now.
    """
    taken = ledger.find_entry(session, customer_id, key)
    if taken is None:
        return 0
    back = reverse(session, customer_id, taken.id, key=f"{key}:back", reason=reason, actor=actor)
    return 0 if back.replayed else back.leg(credits_of(customer_id)).amount


def _undone(session: Session, original: ledger.Entry) -> dict[CreditGrant, int]:
    """What undoing an entry does to each grant it touched, from the shares written down with it."""
    theirs = (
        select(CreditGrant, CreditAllocation.amount)
        .join(
            CreditAllocation,
            (CreditAllocation.customer_id == CreditGrant.customer_id) & (CreditAllocation.grant_id == CreditGrant.id),
        )
        .where(CreditAllocation.customer_id == original.customer_id, CreditAllocation.entry_id == original.id)
        .order_by(CreditGrant.id)
        .execution_options(populate_existing=True)
    )
    shares = {grant: -amount for grant, amount in session.execute(theirs)}
    for grant, part in shares.items():
        if grant.remaining + part < 0:
            sentence = f"Of these {grant.amount:,} credits {grant.remaining:,} are left: the others are spent."
            raise CreditsSpent(sentence, amount=grant.amount, remaining=grant.remaining)
    return shares
