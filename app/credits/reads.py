"""What pages and the API read of credits: the balance, what ends and when, sums of a month, and the history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock, ledger
from app.credits.accounts import credits_of
from app.credits.models import CreditDay, CreditGrant
from app.ledger import Line


@dataclass(frozen=True, slots=True)
class CreditBalance:
    """What can be spent now, in whole credits: what is over does not count, written off or not.

    `ends_next` of them end at `ends_at`, unless they are spent before; None where nothing ends.
    """

    available: int
    entries: int
    ends_next: int = 0
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CreditPage:
    """One page of the history, newest first. `next_cursor` is what to ask for next, None at the end.

    `totals` counts over the whole life of the account: ledger kind -> (entries, credits in, credits out). `grants` are
    those made by the lines shown, by entry.
    """

    lines: Sequence[Line]
    next_cursor: int | None
    totals: Mapping[str, tuple[int, int, int]]
    grants: Mapping[str, CreditGrant]


@dataclass(frozen=True, slots=True)
class Month:
    """What happened in some days: credits used (what was returned is taken off), uses and returns, and what came in."""

    used: int
    uses: int
    returns: int
    earned: int
    check_ins: int
    received: int


def balance(session: Session, customer_id: str) -> CreditBalance:
    """The customer's credits now. Two SELECTs, whatever the history."""
    now = clock.now()
    kept = ledger.balance(session, credits_of(customer_id))
    ending = (
        select(CreditGrant.expires_at, func.sum(CreditGrant.remaining))
        .where(CreditGrant.customer_id == customer_id, CreditGrant.remaining > 0, CreditGrant.expires_at.is_not(None))
        .group_by(CreditGrant.expires_at)
        .order_by(CreditGrant.expires_at)
    )
    over = 0
    for at, left in session.execute(ending):
        if at is not None and at > now:
            return CreditBalance(kept.available - over, kept.entries, int(left), at)
        over += int(left)
    return CreditBalance(kept.available - over, kept.entries)


def ending(session: Session, customer_id: str, limit: int = 12) -> list[CreditGrant]:
    """Grants with something left that will end, the soonest first."""
    mine = select(CreditGrant).where(
        CreditGrant.customer_id == customer_id, CreditGrant.remaining > 0, CreditGrant.expires_at > clock.now()
    )
    return list(session.scalars(mine.order_by(CreditGrant.expires_at, CreditGrant.id).limit(limit)))


def month(session: Session, customer_id: str, first: date, last: date) -> Month:
    """What the UTC days from `first` to `last` came to: one SELECT over kept sums, never over movements."""
    mine = (
        select(CreditDay.kind, func.sum(CreditDay.entries), func.sum(CreditDay.amount))
        .where(
            CreditDay.customer_id == customer_id,
            CreditDay.day >= first.isoformat(),
            CreditDay.day <= last.isoformat(),
        )
        .group_by(CreditDay.kind)
    )
    found = {kind: (int(entries), int(amount)) for kind, entries, amount in session.execute(mine)}
    uses, used = found.get("credit_spend", (0, 0))
    returns, returned = found.get("returned:credit_spend", (0, 0))
    check_ins, earned = found.get("checkin", (0, 0))
    received = sum(found.get(kind, (0, 0))[1] for kind in ("pack", "credit_grant", "promo", "checkin"))
    return Month(-used - returned, uses, returns, earned, check_ins, received)


def page(
    session: Session,
    customer_id: str,
    *,
    before: int | None = None,
    kinds: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
) -> CreditPage:
    """The history of one customer. `before` is the last page's `next_cursor`; `kinds` are ledger kinds."""
    account = credits_of(customer_id)
    # One more than asked for tells whether there is a next page without counting.
    found = ledger.history(session, account, before=before, limit=limit + 1, kinds=kinds, since=since, until=until)
    lines = list(found[:limit])
    following = lines[-1].seq if len(found) > limit else None
    return CreditPage(lines, following, ledger.totals(session, account), grants_of(session, customer_id, lines))


def transactions_at(
    session: Session, customer_id: str, *, offset: int, limit: int, kinds: Sequence[str] | None = None
) -> tuple[int, list[Line]]:
    """Transactions by offset, as the API's documents ask: how many in all, and this page."""
    return ledger.history_offset(session, credits_of(customer_id), offset=offset, limit=limit, kinds=kinds)


def grants_of(session: Session, customer_id: str, lines: Iterable[Line]) -> dict[str, CreditGrant]:
    """The grants these lines made, by entry."""
    entries = [line.entry_id for line in lines if line.amount > 0]
    mine = select(CreditGrant).where(CreditGrant.customer_id == customer_id, CreditGrant.entry_id.in_(entries))
    return {grant.entry_id: grant for grant in session.scalars(mine)} if entries else {}
