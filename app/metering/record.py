"""Recording usage: a batch of events is counted, priced and refused in order, in one short transaction (SPEC U1-U4)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.metering.events import NewEvent, Recorded


def record(session: Session, customer_id: str, events: Sequence[NewEvent]) -> Recorded:
    """Count these events, each once per id. A refused one leaves no mark, and none of the others is kept from counting.

    Fixed in the number of its statements, whatever the number of events.
    """
    raise NotImplementedError
