"""Whose an entry is that is named without its customer, as staff paste it from a mail or a log."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app import ids
from app.ledger import tables

_NEAR = timedelta(seconds=2)  # between making an id and recording its entry
_PREFIX = "wtxn_"


def whose(session: Session, entry_id: str) -> str | None:
    """The customer of this entry; None where there is none.

    Its id says when it was made, so one look into the index of times mostly finds it. An entry recorded by a clock
    that was moved is asked for at each customer, by the primary key.
    """
    made = ids.made_at(entry_id)
    if made is None or not entry_id.startswith(_PREFIX):
        return None
    leg = tables.legs.c
    near = leg.seq.is_not(None), leg.recorded_at.between(made - _NEAR, made + _NEAR)
    found = session.scalar(select(leg.customer_id).where(*near, leg.entry_id == entry_id).limit(1))
    return found or session.scalar(_at_each(entry_id))


def _at_each(entry_id: str) -> Select[str]:
    account, entry = tables.accounts.c, tables.entries.c
    # A subquery among the columns is asked once a row, whatever the planner thinks of joining all entries.
    theirs = select(entry.id).where(entry.customer_id == account.customer_id, entry.id == entry_id).scalar_subquery()
    return select(account.customer_id).where(theirs.is_not(None)).limit(1)
