"""The difference between the catalogue that is live and one that is wanted, in words for people. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.catalogue.terms import Catalogue, Facts, PlanTerms, Thing

Differing = tuple[tuple[str, str, str], ...]  # what, before, after; an empty side was or will be nothing
SIGNS = {"new": "+", "changed": "~", "version": "~", "retired": "-"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. how: new, changed (in place), version (a new one, for the old was sold) or retired."""

    kind: str
    key: str
    how: str
    facts: Differing = ()

    def lines(self) -> Iterator[str]:
        """`~ plan studio, as a new version` and a line for each fact."""
        ending = {"version": ", as a new version", "retired": ", no longer offered"}.get(self.how, "")
        yield f"{SIGNS[self.how]} {self.kind} {self.key}{ending}"
        for what, before, after in self.facts:
            yield (
                f"    {what}: {after}" if self.how == "new" else f"    {what}: {before or 'none'} -> {after or 'none'}"
            )

    def data(self) -> dict[str, object]:
        """The same for programs and the audit log."""
        facts = {what: [before, after] for what, before, after in self.facts}
        return {"kind": self.kind, "key": self.key, "how": self.how, "facts": facts}


def between(live: Catalogue, wanted: Catalogue) -> list[Change]:
    """What has to change for `wanted` to be live; empty when it is. What the wanted one leaves out is retired."""
    before, after = live.things(), wanted.things()
    changes = []
    for (kind, key), thing in after.items():
        old = before.get((kind, key))
        facts = of_facts({} if old is None else old.facts(), thing.facts())
        if facts:
            changes.append(Change(kind, key, _how(old, thing), facts))
    retired = [Change(kind, key, "retired") for kind, key in before if (kind, key) not in after]
    return changes + retired


def _how(old: Thing | None, new: Thing) -> str:
    if old is None:
        return "new"
    if isinstance(old, PlanTerms) and isinstance(new, PlanTerms) and needs_new_version(old, new):
        return "version"
    return "changed"


def needs_new_version(old: PlanTerms, new: PlanTerms) -> bool:
    """Whether what subscribers bought would change: then the old version must stay as it is (SPEC P2)."""
    return old.is_sold and old.sold_facts() != new.sold_facts()


def of_facts(before: Facts, after: Facts) -> Differing:
    """What differs of what there is to say about a thing, in the order of what is said afterwards."""
    names = [*after, *(name for name in before if name not in after)]
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return tuple((name, old, new) for name, old, new in pairs if old != new)
