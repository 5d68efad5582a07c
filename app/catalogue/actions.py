"""Actions of the catalogue: what costs a fixed number of credits (SPEC C4)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.catalogue.models import Action


def offered(session: Session, key: str) -> Action | None:
    """The action on offer under this key; None for one that is retired or was never there."""
    return session.scalars(select(Action).where(Action.key == key, Action.retired_at.is_(None))).one_or_none()
