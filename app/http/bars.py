"""What charts of bars have in common: round numbers at the side, and places in percent, as SVG attributes take them."""

from __future__ import annotations

WHOLE = 10_000  # hundredths of a percent
_GAP = 45  # beside each day's bars
# Heights of a grid line that people can divide by, in tenths.
_ROUND = (10, 15, 20, 25, 30, 40, 50, 60, 80)
_SHORT = ((10**9, "B"), (10**6, "M"), (10**3, "k"))


def step(peak: int, lines: int) -> int:
    """The smallest round number of which so many reach the peak; never 0."""
    scale = 1
    while True:
        for tenths in _ROUND:
            height, rest = divmod(tenths * scale, 10)
            if not rest and height * lines >= peak:
                return height
        scale *= 10


def grid(lines: int) -> list[str]:
    """Where so many grid lines are above the ground, and the ground itself, from the top down."""
    return [percent(WHOLE * line // lines) for line in range(lines + 1)]


def sides(place: int, of: int) -> tuple[int, int]:
    """Where the bars of one day begin and end in a chart of so many, in hundredths of a percent."""
    return place * WHOLE // of + _GAP, (place + 1) * WHOLE // of - _GAP


def middle(place: int, of: int) -> str:
    """Where the date of that day is written."""
    return percent((2 * place + 1) * WHOLE // (2 * of))


def short(count: int) -> str:
    """`45k`, `1.5M`: a round number in few letters."""
    for size, letter in _SHORT:
        if count >= size:
            tenths = str(count * 10 // size)
            return f"{tenths[:-1]}.{tenths[-1]}{letter}".replace(".0", "")
    return str(count)


def percent(hundredths: int) -> str:
    """Hundredths of a percent as `33.33%`."""
    whole, part = divmod(hundredths, 100)
    decimals = f"{part:02d}".rstrip("0")
    return f"{whole}.{decimals}%" if decimals else f"{whole}%"
