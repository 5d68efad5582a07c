"""Which invoice gives back how much of what is unused: pure arithmetic, in minor units.

Cards first, from the newest invoice back; then what credit balances had paid. No invoice gives back more than it came
to, and the nets of all shares are together what is unused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.money import round_half_away
from app.providers.billing import UnusedPart
from app.providers.stripe.sources import Source


@dataclass(frozen=True, slots=True)
class NoteShare:
    """What one invoice's credit note takes: `(line id, amount)` before tax, and what that is to make with tax."""

    source: Source
    lines: Sequence[tuple[str, int]]
    gross: int

    def nudged(self, by: int) -> NoteShare:
        """The same with so many minor units more on its last line."""
        *others, (line_id, amount) = self.lines
        return replace(self, lines=[*others, (line_id, amount + by)])


def shared_out(parts: Sequence[UnusedPart], chain: Sequence[Source]) -> list[NoteShare]:
    """Shares of the parts of the chain's first invoice. Those of later ones are on the line that was credited."""
    net = sum(part.net for part in parts)
    due = net + sum(part.tax for part in parts)
    found, gross, gone = [], 0, 0
    for source, amount in zip(chain, _amounts(due, chain), strict=True):
        gross += amount
        upto = round_half_away(net * gross, due) if due else 0  # counted from the start: the shares make the whole
        taken, gone = upto - gone, upto
        if taken > 0:
            lines = [(source.line_id, taken)] if source.line_id else _of_parts(parts, taken)
            found.append(NoteShare(source, lines, amount))
    return found


def _amounts(due: int, chain: Sequence[Source]) -> list[int]:
    """Tax included, of each invoice: first what cards paid of each, then what balances did."""
    amounts = [0] * len(chain)
    for could in ([source.left for source in chain], [source.credit for source in chain]):
        for at, most in enumerate(could):
            given = min(due, most)
            amounts[at] += given
            due -= given
    return amounts


def _of_parts(parts: Sequence[UnusedPart], net: int) -> list[tuple[str, int]]:
    lines = []
    for part in parts:
        amount = min(net, part.net)
        if amount > 0:
            lines.append((part.line_id, amount))
            net -= amount
    return lines
