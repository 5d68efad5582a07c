"""The plan a customer has, beside the plans on offer: what each limit comes to for them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.catalogue import reads, upgrades
from app.catalogue.terms import PlanTerms
from app.subscriptions import standing
from app.subscriptions.standing import Standing


@dataclass(frozen=True, slots=True)
class PlanNow:
    """A customer's standing, and the plans they could move to."""

    standing: Standing
    offered: tuple[PlanTerms, ...]

    @property
    def name(self) -> str:
        return self.standing.plan.name if self.standing.plan else "No plan"

    @property
    def is_restricted(self) -> bool:
        """Not paid, and the days of grace are over: the plan is there, and what it allows is not (SPEC P11)."""
        return self.standing.status == "restricted"

    def speaks_of(self, kind: str, key: str) -> bool:
        """Whether their plan or one on offer has this limit. Where none has, there is nothing to limit."""
        own = (self.standing.plan,) if self.standing.plan else ()
        return any(plan.limit(kind, key) for plan in (*own, *self.offered))

    def keys(self, kind: str) -> list[str]:
        """The limits of this kind there are, in the order of the plans."""
        own = (self.standing.plan,) if self.standing.plan else ()
        found = (limit.key for plan in (*own, *self.offered) for limit in plan.limits if limit.kind == kind)
        return list(dict.fromkeys(found))

    def amount(self, kind: str, key: str) -> int | None:
        """What the plan allows, None for no limit. A limit of which only other plans speak allows nothing."""
        limit = self.standing.plan.limit(kind, key) if self.standing.plan else None
        return limit.amount if limit else 0

    def upgrade(self, kind: str, key: str, needed: int) -> PlanTerms | None:
        """The cheapest plan on offer that would allow `needed`."""
        return upgrades.cheapest(self.offered, kind, key, needed, but=self.standing.tier)


def of(session: Session, customer_id: str) -> PlanNow:
    """Six SELECTs at most."""
    return PlanNow(standing.of(session, customer_id), reads.offered_plans(session))
