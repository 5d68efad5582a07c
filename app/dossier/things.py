"""What is one thing of its own and no customer: an entry, a webhook, a delivery; found by the name staff paste."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import ledger
from app.dossier.named import CHANNELS, LONGEST, SHORTEST
from app.outgoing.models import WebhookDelivery
from app.payments.models import ProviderEvent


class Thing(NamedTuple):
    """What it is, its id with us, and whose, where that is a part of its address."""

    what: Literal["entry", "webhook", "delivery"]
    id: str
    customer_id: str = ""


def find(session: Session, text: str) -> Thing | None:
    """The thing that this very name means, ours or a provider's; None for anything else. One SELECT."""
    if not SHORTEST <= len(text) <= LONGEST or any(letter.isspace() for letter in text) or "\0" in text:
        return None
    if text.startswith("wtxn_"):
        owner = ledger.whose(session, text)
        return Thing("entry", text, owner) if owner else None
    if text.startswith("dlv_"):
        sent = session.execute(select(WebhookDelivery.customer_id).where(WebhookDelivery.id == text)).scalars().first()
        return Thing("delivery", text, sent) if sent else None
    theirs = ProviderEvent.provider.in_(CHANNELS) & (ProviderEvent.event_id == text)
    came = session.scalar(select(ProviderEvent.id).where(or_(ProviderEvent.id == text, theirs)).limit(1))
    return Thing("webhook", came) if came else None
