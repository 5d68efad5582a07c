"""The audit: do the books still say what they must? A plain sentence for every fault, naming the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.ledger import marks
from app.ledger.accounts import HOUSE, Account
from app.ledger.chart import ENTRY_KINDS, ChartViolation, check_movement
from app.ledger.checks import CHECKS, MOVEMENTS, TALLIES_FULL
from app.ledger.rollups import day_of

_NAME = "audit"
_MOST = 100  # sentences per check: a torn book is torn everywhere, and nobody reads a million lines


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found. `checked` says how many legs, accounts, entries and holds were there to look at."""

    faults: list[str] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not self.faults


def audit(session: Session, *, full: bool = False) -> Audit:
    """Check the books. Full: every row, changing nothing. Otherwise the legs written since the last clean audit,
    and every account's and hold's present state; a clean one notes how far it came, if the session commits.
    """
    number = marks.number_column(session)
    done, final = (0, 0) if full else marks.horizon(session, _NAME)
    names = {
        "new": f"l.{number} > {done}" if not full else "1 = 1",
        "number": f"l.{number}",
        "day": day_of(session),
        "tallies": "a.tallies" if number == "rowid" else "a.tallies::text",
    }
    faults = list(_check_rows(session, names, full=full))
    faults += _check_chart(session, names)
    if full:
        faults += _check_tallies(session, names)
    checked = _counted(session, names, full=full)
    if not full and not faults:
        marks.advance(session, _NAME, final)
    return Audit(faults, checked)


def _check_rows(session: Session, names: dict[str, str], *, full: bool) -> Iterator[str]:
    for check in CHECKS:
        if check.full_only and not full:
            continue
        sql = check.sql.format(**names)
        for row in session.execute(text(sql)).fetchmany(_MOST):
            yield check.sentence.format(*row)


def _check_chart(session: Session, names: dict[str, str]) -> Iterator[str]:
    """Every leg moved an account that its kind of entry may move, in that direction."""
    sql = MOVEMENTS.format(**names)
    for kind, name, house, sign, legs, example in session.execute(text(sql)):
        account = Account(HOUSE if house else "cus", name, "")
        try:
            rule = ENTRY_KINDS.get(kind)
            if rule is None:
                raise ChartViolation(f"There is no entry kind {kind!r} in the chart.")
            check_movement(kind, rule, account, sign)
        except ChartViolation as violation:
            yield f"{legs} legs, {example} among them, break the chart: {violation}"


def _check_tallies(session: Session, names: dict[str, str]) -> Iterator[str]:
    """What each account has kept by kind is what its lines come to."""
    sql = TALLIES_FULL.format(**names).replace("a.tallies, l.kind", f"{names['tallies']}, l.kind")
    kept: dict[str, list[int]] = {}
    account: tuple[Any, ...] = ()
    for customer, name, asset, tallies, kind, *figures in session.execute(text(sql)):
        if (customer, name, asset) != account:
            yield from _left_over(account, kept)
            account, kept = (customer, name, asset), json.loads(tallies)
        truth = [int(figure or 0) for figure in figures[:3]]
        stored = kept.pop(kind, [0, 0, 0]) if kind is not None else [0, 0, 0]
        if stored != truth:
            yield f"The {name} ({asset}) of {customer} keeps {stored} for {kind}; its lines come to {truth}."
    yield from _left_over(account, kept)


def _left_over(account: tuple[Any, ...], kept: dict[str, list[int]]) -> Iterator[str]:
    for kind, stored in kept.items():
        yield f"The {account[1]} ({account[2]}) of {account[0]} keeps {stored} for {kind}, and has no such line."


def _counted(session: Session, names: dict[str, str], *, full: bool) -> dict[str, int]:
    tables = {"legs": f"ledger_leg l WHERE {names['new']}", "accounts": "ledger_account"}
    if full:
        tables |= {"entries": "ledger_entry", "holds": "ledger_hold"}
    counts = {name: "SELECT count(*) FROM " + table for name, table in tables.items()}
    return {name: int(session.scalar(text(sql)) or 0) for name, sql in counts.items()}
