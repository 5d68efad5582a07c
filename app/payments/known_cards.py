"""Cards that providers told us of: never more than what people recognise one by, so that staff can find its owner."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock
from app.payments.models import KnownCard
from app.providers.values import Card

_LAST_FOUR = re.compile(r"[0-9]{4}\Z")
_LONGEST_BRAND = 40


def keep(
    session: Session, customer_id: str, channel: str, reference: str, *, kind: str, brand: str | None, last4: str | None
) -> bool:
    """Note that this card is "saved" there as `reference`, or "paid" the payment of that name. Once; whether it is new.

    A provider that tells no last four digits tells nothing to keep.
    """
    if not last4 or not _LAST_FOUR.match(last4) or not reference:
        return False
    row = {
        "customer_id": customer_id,
        "channel": channel,
        "reference": reference,
        "kind": kind,
        "brand": (brand or "card")[:_LONGEST_BRAND],
        "last4": last4,
        "seen_at": clock.now(),
    }
    unique = ["customer_id", "channel", "reference"]
    kept = insert(KnownCard).values(row).on_conflict_do_nothing(index_elements=unique).returning(KnownCard.reference)
    return session.execute(kept).scalar_one_or_none() is not None


def learn(session: Session, customer_id: str, channel: str, cards: Sequence[Card]) -> None:
    """Keep those of a provider's list of saved cards that are not known yet."""
    mine = KnownCard.customer_id == customer_id, KnownCard.channel == channel, KnownCard.kind == "saved"
    known = set(session.scalars(select(KnownCard.reference).where(*mine))) if cards else set()
    for card in cards:
        if card.id not in known:
            keep(session, customer_id, channel, card.id, kind="saved", brand=card.brand, last4=card.last4)


def of_customer(session: Session, customer_id: str, *, limit: int = 50) -> list[KnownCard]:
    """What is known of a customer's cards, those seen last first."""
    mine = select(KnownCard).where(KnownCard.customer_id == customer_id)
    return list(session.scalars(mine.order_by(KnownCard.seen_at.desc(), KnownCard.reference).limit(limit)))
