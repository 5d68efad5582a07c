"""What this process remembers of the catalogue, for what is asked thousands of times a second: plans on offer, meters.

Good for one stamp: whoever asks has read `catalogue_stamp` in their own transaction, and what was remembered under
another one is read anew. Not for pages, which show a few things once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, select
from sqlalchemy.orm import Session

from app.catalogue import reads
from app.catalogue.models import Meter
from app.catalogue.tables import CatalogueStamp
from app.catalogue.terms import PlanTerms

_STAMP = select(CatalogueStamp.stamp).where(CatalogueStamp.id == 1)
_remembered: WeakKeyDictionary[Engine, Known] = WeakKeyDictionary()


@dataclass(eq=False, slots=True)
class Known:
    """The catalogue at one stamp. `meters`: key -> name, retired ones too."""

    stamp: str | None
    meters: Mapping[str, str]
    offered: tuple[PlanTerms, ...]
    _versions: dict[tuple[str, int], PlanTerms] = field(default_factory=dict)

    @property
    def free_plan(self) -> PlanTerms | None:
        """As `reads.free_plan`."""
        return reads.first_free(self.offered)

    def version(self, session: Session, plan_id: str, number: int) -> PlanTerms:
        """As `reads.version_of`, read once. Raises NotFound."""
        found = self._versions.get((plan_id, number))
        if found is None:
            found = reads.version_of(session, plan_id, number)
            if _is_still(session, self.stamp):
                self._versions[plan_id, number] = found
        return found


def at(session: Session, stamp: str | None) -> Known:
    """The catalogue at this stamp, which the session has just read. None, before any change, is never remembered."""
    bind = session.get_bind()
    engine = bind.engine if isinstance(bind, Connection) else bind
    known = _remembered.get(engine)
    if known is None or known.stamp != stamp or stamp is None:
        meters = dict(session.execute(select(Meter.key, Meter.name)).all())
        known = Known(stamp, meters, reads.offered_plans(session))
        if _is_still(session, stamp):
            _remembered[engine] = known
    return known


def _is_still(session: Session, stamp: str | None) -> bool:
    """Whether nobody changed the catalogue while it was being read."""
    return stamp is not None and session.scalar(_STAMP) == stamp
