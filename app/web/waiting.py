"""A page that waits for a provider's news: what is said about one state, and how often to ask again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app import clock

Line = tuple[str, str, str]  # label, amount, small print
SOON, LATER, DEBIT = 2, 10, 30  # seconds between two looks
PATIENCE = 120  # seconds after which a payment that has not arrived is looked for less often


@dataclass(frozen=True)
class Action:
    """A button. `pays`: it leads to paying, so it is only for those who may."""

    label: str
    href: str
    pays: bool = False


@dataclass(frozen=True)
class Status:
    """What is said about one state, and where to ask again. `seen` names what the reader has before them."""

    word: str
    icon: str
    tone: str
    title: str
    text: str
    bill: Sequence[Line]
    actions: Sequence[Action] = ()
    poll_seconds: int = 0  # 0: nothing more is awaited, so the page stops asking
    url: str = ""
    page: str = ""
    seen: str = ""


def at_rest(status: Status) -> Status:
    """The same words on a page that does not ask again."""
    return replace(status, poll_seconds=0)


def pace(since: datetime) -> int:
    """Seconds until the next look: often at first, seldom once it takes longer than usual."""
    return SOON if (clock.now() - since).total_seconds() < PATIENCE else LATER
