"""What a customer wants to be told of: thresholds of their allowances, the level of a low wallet, mails or none."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock
from app.errors import Invalid
from app.notices.models import NoticeChoices

PERCENTS = (80, 100)  # of an allowance, unless the customer chose others (SPEC U4)
MOST_PERCENTS = 10
LOW_MICROS = 5_000_000  # what counts as a low wallet, unless the customer chose another amount
_LARGEST_LOW = 1_000_000_000_000


def thresholds(session: Session, customer_id: str) -> tuple[int, ...]:
    """The percents of an allowance at which this customer is told, ascending; empty when they chose none."""
    chosen = of(session, customer_id)
    return PERCENTS if chosen is None else tuple(chosen.percents)


def mails_wanted(session: Session, customer_id: str) -> bool:
    """Whether notices that may be switched off are mailed."""
    chosen = of(session, customer_id)
    return chosen is None or chosen.mails


def of(session: Session, customer_id: str) -> NoticeChoices | None:
    """What they chose; None while everything is as it comes."""
    return session.get(NoticeChoices, customer_id)


def choose(
    session: Session, customer_id: str, *, percents: Sequence[int], low_micros: int | None, mails: bool, actor: str
) -> NoticeChoices:
    """Keep their choice. `low_micros` None: they do not want to know. Raises Invalid, naming the field."""
    wanted = sorted(set(percents))
    if len(wanted) > MOST_PERCENTS or any(not 1 <= percent <= 1000 for percent in wanted):
        words = f"Give up to {MOST_PERCENTS} whole percentages from 1 to 1000, such as 80, 100."
        raise Invalid(words, field="percents")
    if low_micros is not None and not 0 <= low_micros <= _LARGEST_LOW:
        raise Invalid("Give an amount of zero or more, at most 1,000,000.00.", field="low")
    chosen = row_of(session, customer_id)
    if chosen.low_micros != low_micros:
        chosen.low_micros, chosen.low_state = low_micros, "unknown"  # another level is another crossing
    chosen.percents, chosen.mails, chosen.changed_at = list(wanted), mails, clock.now()
    told = {"percents": list(wanted), "low_micros": low_micros, "mails": mails}
    activity.record(session, actor, "notices.chosen", customer_id, customer_id=customer_id, **told)
    return chosen


def row_of(session: Session, customer_id: str) -> NoticeChoices:
    """Their row, made with the usual choices when there is none; locked until the commit."""
    usual = {
        "customer_id": customer_id,
        "percents": list(PERCENTS),
        "mails": True,
        "low_micros": LOW_MICROS,
        "low_state": "unknown",
        "low_count": 0,
        "changed_at": clock.now(),
    }
    session.execute(insert(NoticeChoices).values(usual).on_conflict_do_nothing(index_elements=["customer_id"]))
    return session.get_one(NoticeChoices, customer_id, with_for_update=True, populate_existing=True)
