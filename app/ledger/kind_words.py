"""What kinds of entries are called outside the books: by the API's `type`, and on pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import Invalid


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of movement. `api` is the documented `type`, `title` its heading when the entry has none."""

    ledger: str
    api: str
    title: str


class KindWords:
    """The words of some kinds. Several may share a type."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = kinds
        self._of_ledger = {kind.ledger: kind for kind in kinds}
        self.api_types = tuple(dict.fromkeys(kind.api for kind in kinds))

    def named(self, ledger_kind: str) -> Kind:
        """The kind of a ledger entry; one the table does not know yet keeps its own name rather than failing a page."""
        known = self._of_ledger.get(ledger_kind)
        return known or Kind(ledger_kind, ledger_kind, ledger_kind.replace("_", " ").capitalize())

    def of_type(self, api_type: str) -> list[str]:
        """The ledger kinds behind one API type. Raises Invalid for a type nobody knows (SPEC §12.1)."""
        found = [kind.ledger for kind in self._kinds if kind.api == api_type]
        if not found:
            known = list(self.api_types)
            raise Invalid(f"Unknown type. Use one of: {', '.join(known)}.", field="type", allowed=known)
        return found
