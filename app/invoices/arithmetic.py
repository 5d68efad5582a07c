"""An invoice's arithmetic, pure: lines, the discount spread over them, tax, and what a credit note takes back.

Order (SPEC R1): lines, each rounded once; the discount; tax from the unrounded rest, each tax by itself and none on
another; the total. Amounts in minor units unless a name says micros.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.money import round_half_away

MILLION = 1_000_000


def spread(discount: int, amounts: Sequence[int]) -> list[int]:
    """The discount over these lines, by their amounts: the parts sum to it and none is more than its line.

    Credits (negative lines) get none. Raises ValueError for more than the lines come to.
    """
    bases = [max(0, amount) for amount in amounts]
    whole = sum(bases)
    if not 0 <= discount <= whole:
        raise ValueError("A discount is never more than what it is taken from.")
    if not discount:
        return [0] * len(amounts)
    parts = [discount * base // whole for base in bases]
    # The cents that rounding down left over go to the lines that lost most by it, the earlier one first.
    by_loss = sorted(range(len(bases)), key=lambda line: (-(discount * bases[line] % whole), line))
    for line in by_loss[: discount - sum(parts)]:
        parts[line] += 1
    return parts


def tax_of(base_micros: int, rate_ppm: int, micros_per_minor: int) -> int:
    """One tax on an unrounded base, rounded once, half away from zero."""
    return round_half_away(base_micros * rate_ppm, MILLION * micros_per_minor)


def share_of_tax(tax: int, net: int, credited_before: int, credited_now: int) -> int:
    """The part of a tax that goes back with `credited_now` of `net`.

    Taken from what has been credited in all, so that the parts never sum to more than the tax, and to exactly it once
    everything is credited, in however many steps.
    """
    assert 0 <= credited_before <= credited_before + credited_now <= net
    assert net
    after = round_half_away(tax * (credited_before + credited_now), net)
    return after - round_half_away(tax * credited_before, net)
