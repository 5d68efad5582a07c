"""The keys of plans, retired ones too: what people and programs call a plan, where rows have its id."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.catalogue.models import Plan
from app.errors import NotFound


def by_id(session: Session) -> dict[str, str]:
    """Every plan's key by its id. One SELECT."""
    return dict(session.execute(select(Plan.id, Plan.key)).all())


def named(session: Session, name: str, field: str) -> str:
    """The key of the plan with this id or key, in any capitals. Raises NotFound naming `field`."""
    keys = by_id(session)
    alike = sorted(key for key in keys.values() if key.lower() == name.lower())
    found = keys.get(name) or (name if name in alike else next(iter(alike), None))
    if found is None:
        raise NotFound("There is no such plan.", field=field)
    return found
