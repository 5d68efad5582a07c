"""A page that waits for a provider's news: what is said about one state, and how often to ask again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import url_for

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


def placed(words: Status, state: str, *, may_pay: bool, left: bool, partial: str, page: str, **name: Any) -> Status:
    """The words with where to ask again, `partial` and `page` being endpoints. Who may not pay is not led to paying."""
    marked, seen = "1" if left else None, f"{state}-{words.poll_seconds}"
    return replace(
        words,
        actions=words.actions if may_pay else [action for action in words.actions if not action.pays],
        url=url_for(partial, **name, seen=seen, left=marked),
        page=url_for(page, **name, left=marked),
        seen=seen,
    )


def at_rest(status: Status) -> Status:
    """The same words on a page that does not ask again."""
    return replace(status, poll_seconds=0)


def pace(since: datetime) -> int:
    """Seconds until the next look: often at first, seldom once it takes longer than usual."""
    return SOON if (clock.now() - since).total_seconds() < PATIENCE else LATER
