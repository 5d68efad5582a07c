"""The form of a move: who, from which version, when, and what was shown of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import digest as digests
from app.admin.typed import Typed
from app.catalogue import edit
from app.catalogue.edit import Listed
from app.flows.move_outlook import Outlook
from app.moves.begin import MOST_CHOSEN, MOST_NOTICE, Asked
from app.moves.models import TIMES
from app.subscriptions import subscribers

DAYS = 30
WHENS = {
    "now": "At once",
    "renewal": "At their next period",
    "noticed": "At their first period after the notice",
}


@dataclass(frozen=True, slots=True)
class Movable:
    """A plan, and its older versions that somebody has, newest first, as choices."""

    plan: Listed
    versions: list[tuple[str, str]]


def of_plan(session: Session, plan_id: str) -> Movable:
    """Raises NotFound."""
    plan = edit.one_plan(session, plan_id)
    counts = subscribers.per_version(session, plan.terms.id)
    found = sorted(number for _, number in counts if number != plan.terms.version)
    words = [(str(each), f"Version {each}, {people(counts[plan.terms.id, each])}") for each in reversed(found)]
    return Movable(plan, words)


def blank(it: Movable, number: str, chosen: Sequence[str]) -> dict[str, str]:
    """The empty form."""
    known = [value for value, _ in it.versions]
    return {
        "from": number if number in known else next(iter(known), ""),
        "who": "chosen" if chosen else "all",
        "customers": "\n".join(chosen),
        "times": "renewal",
        "notice_days": str(DAYS),
    }


def asked(session: Session, it: Movable, typed: Typed) -> Asked | None:
    """What was typed; None where there is something to put right first."""
    plan, known = it.plan, [value for value, _ in it.versions]
    if plan.retired_at is not None:
        typed.wrong("from", "The plan is retired. Offer it again before you move anybody to a newer version.")
    elif not known:
        typed.wrong("from", "Everybody has the version that is on offer.")
    elif typed.line("from") not in known:
        typed.wrong("from", "Choose one of these.")
    who, times = typed.choice("who", ("all", "chosen")), typed.choice("times", TIMES)
    days = typed.whole("notice_days", blank=DAYS, most=MOST_NOTICE)
    customers = None
    if who == "chosen" and not typed.errors:
        customers = _chosen(session, plan.terms.id, int(typed.line("from")), typed)
    if typed.errors:
        return None
    number = int(typed.line("from"))
    return Asked(plan.terms.id, number, plan.terms.version, customers, times, DAYS if days is None else days)


def digest(asked: Asked, outlook: Outlook) -> str:
    """What a person has seen: anything else is shown before it is done."""
    lines = [[x.interval, x.before_minor, x.after_minor, x.when, x.count] for x in outlook.lines]
    left = [[each.why, each.count] for each in outlook.left]
    chosen = list(asked.customers) if asked.customers is not None else None
    wish = [asked.from_version, asked.to_version, chosen, asked.times, asked.notice_days]
    return digests.of([wish, lines, left, outlook.count])


def intervals(outlook: Outlook | None) -> str:
    """`42 monthly, 18 annual`."""
    lines = outlook.lines if outlook else ()
    counts = {every: sum(line.count for line in lines if line.interval == every) for every in ("month", "year")}
    words = {"month": "monthly", "year": "annual"}
    return ", ".join(f"{count:,} {words[every]}" for every, count in counts.items() if count)


def _chosen(session: Session, plan_id: str, number: int, typed: Typed) -> tuple[str, ...]:
    """The customers who were named, of whom each must have the version."""
    named = tuple(dict.fromkeys(part for part in re.split(r"[\s,;]+", typed.raw("customers")) if part))
    if not named:
        typed.wrong("customers", "Write the id of one customer at least.")
        return ()
    if len(named) > MOST_CHOSEN:
        typed.wrong("customers", f"Write {MOST_CHOSEN:,} ids at most.")
        return ()
    theirs = subscribers.who_of(session, plan_id, number, named)
    others = [each for each in named if each not in theirs]
    if others:
        more = f" and {len(others) - 5:,} more" if len(others) > 5 else ""
        typed.wrong("customers", f"Not on version {number}: {', '.join(others[:5])}{more}.")
    return named


def people(count: int) -> str:
    """So many customers, in words."""
    return f"{count:,} {'customer' if count == 1 else 'customers'}"
